//! Link flags of a Node addon.

fn main() {
    napi_build::setup();
    // When a Worker that alone had loaded the addon ends, Node calls `dlclose` on it while pool threads still run its code.
    // `nodelete` keeps the image mapped for the life of the process.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
