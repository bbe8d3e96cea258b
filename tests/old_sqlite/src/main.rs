//! Runs the SQL on stdin in the SQLite file that the argument names, with SQLite 3.26.0.

use std::env;
use std::ffi::{CStr, CString};
use std::io::{self, Read};
use std::process::ExitCode;
use std::ptr;

use libsqlite3_sys as ffi;

fn main() -> ExitCode {
    assert_eq!(ffi::SQLITE_VERSION_NUMBER, 3_026_000);
    let path = CString::new(env::args().nth(1).expect("a path")).expect("no NUL");
    let mut sql = String::new();
    io::stdin().read_to_string(&mut sql).expect("SQL on stdin");
    let sql = CString::new(sql).expect("no NUL");

    let mut database = ptr::null_mut();
    let mut message = ptr::null_mut();
    // SAFETY: both texts end with NUL and live on, and the database is opened before it is used.
    // What the message is allocated for is the end of the program.
    unsafe {
        assert_eq!(ffi::sqlite3_open(path.as_ptr(), &mut database), ffi::SQLITE_OK);
        let status = ffi::sqlite3_exec(database, sql.as_ptr(), None, ptr::null_mut(), &mut message);
        if status == ffi::SQLITE_OK {
            return ExitCode::SUCCESS;
        }
        eprintln!("{}", CStr::from_ptr(message).to_string_lossy());
    }
    ExitCode::FAILURE
}
