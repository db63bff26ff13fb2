// Shows the times on the visitor's own clock. The page does everything without it: there is a form for the time zone.
(() => {
  "use strict";
  const page = new URL(location.href);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && zone !== document.documentElement.dataset.zone && !page.searchParams.has("tz")) {
    page.searchParams.set("tz", zone);
    location.replace(page);
  }
})();
