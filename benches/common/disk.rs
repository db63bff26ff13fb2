//! How long the disk takes for a commit.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// The median time of writing 4 kB and of waiting until they are on the disk.
pub fn commit_time(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("fsync")).expect("a file");
    let mut times: Vec<Duration> = (0..51)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("written");
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[25]
}
