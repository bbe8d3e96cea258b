//! The memory that a container may use, as Linux limits it (cgroups(7)).

use std::fs;
use std::path::Path;

/// The lowest memory limit of the groups of this process, in bytes.
pub(super) fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    lowest_limit(&groups, &|file| fs::read_to_string(file).ok())
}

/// The lowest limit of the groups in a `/proc/PID/cgroup`, and of all groups above them.
fn lowest_limit(groups: &str, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let mut lowest = None;
    for line in groups.lines() {
        let [_, controllers, group] = line.splitn(3, ':').collect::<Vec<_>>()[..] else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // Inside a container, the path may be that of the host: then only the root exists.
        for group in Path::new(group.trim_start_matches('/')).ancestors() {
            let limit = read(&Path::new(root).join(group).join(file));
            let limit = limit.and_then(|limit| limit.trim().parse::<u64>().ok());
            lowest = [lowest, limit].into_iter().flatten().min();
        }
    }
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_limit_of_all_ancestors_counts() {
        let lowest = |groups: &str, files: &[(&str, &str)]| {
            let read = |file: &Path| {
                let found = files.iter().find(|(name, _)| Path::new(name) == file);
                found.map(|(_, text)| (*text).to_owned())
            };
            lowest_limit(groups, &read)
        };
        let files = [
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/memory.max", "1000\n"),
            ("/sys/fs/cgroup/memory.max", "2000\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "500\n"),
        ];
        assert_eq!(lowest("0::/a/b\n", &files), Some(1000));
        assert_eq!(lowest("0::/\n", &files), Some(2000));
        assert_eq!(lowest("1:cpu:/a\n0::/a/b\n", &files), Some(1000));
        assert_eq!(lowest("4:cpu,memory:/docker/x\n0::/\n", &files), Some(500));
        assert_eq!(lowest("0::/a/b\n", &files[..1]), None);
        assert_eq!(lowest("", &files), None);
    }
}
