//! A small disk.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A small file system of its own, where the machine lets us make one.
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// In the folder `path`, which must be there.
    pub(crate) fn make(path: &Path, size_mib: usize) -> Option<Self> {
        let options = format!("size={size_mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).stderr(Stdio::null());
        mount.status().ok()?.success().then(|| Self { path: path.to_owned() })
    }

    /// Leaves no space.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Gives the space back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).status();
    }
}
