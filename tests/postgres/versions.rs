//! Versions of the server. `DASH_USERS_POSTGRES_BIN` selects one.

use crate::server::{cluster, connect};
use crate::support::{assert_fails, assert_ok, on};

/// The oldest version that is supported.
const OLDEST: u32 = 13;

#[test]
fn old_server_is_refused_before_anything_is_created() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    if cluster.version() >= OLDEST {
        assert_ok(&sandbox.run(&["init"]));
        return;
    }
    let reason = format!("the server is PostgreSQL {}; {OLDEST} is the oldest", cluster.version());
    sandbox.write("users.csv", "username,password\ncarol,plover-xyzzy-quux\n");
    for args in [&["init"][..], &["seed"], &["import", "users.csv"], &["migrate"], &["list"]] {
        assert_fails(&sandbox.run(args), 4, &reason);
    }
    let select =
        "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                  WHERE nspname = 'public'";
    assert_eq!(connect(&url).query_one(select, &[]).unwrap().get::<_, i64>(0), 0);
}
