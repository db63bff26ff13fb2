# What there is to do with imipd's sources. The servers come from Debian, everything else from cargo.

CARGO ?= cargo
# For all of cargo's commands, such as CARGOFLAGS="-j2 --locked".
CARGOFLAGS ?=

.PHONY: demo test check fmt bench audit

# A meeting played through between four people, with real mail servers on loopback. KEEP=1 leaves them running.
demo:
	scripts/install-servers --optional
	$(CARGO) build $(CARGOFLAGS) --bin imipd --example demo
	$${CARGO_TARGET_DIR:-target}/debug/examples/demo $(if $(KEEP),--keep)

# Without root a missing server is said loudly and its tests are skipped; as root it is installed.
test:
	scripts/install-servers || [ "$$(id -u)" != 0 ]
	$(MAKE) --no-print-directory check
	$(CARGO) test $(CARGOFLAGS) --workspace

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(CARGOFLAGS) --workspace --all-targets -- -D warnings

fmt:
	$(CARGO) fmt --all

# Tables with medians and ratios; minutes, most of them for the optimised build.
bench:
	$(CARGO) bench $(CARGOFLAGS) --bench engine --bench outbox --bench mailbox
	$(CARGO) bench $(CARGOFLAGS) --bench limits

# Licences, forbidden crates, sources and known weaknesses of what is used. Builds cargo-deny once, which takes minutes. Where the list of
# known weaknesses (on GitHub) cannot be had, that part is skipped, and that is said; ADVISORIES=required makes it fail.
audit:
	scripts/audit
