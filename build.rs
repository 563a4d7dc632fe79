//! Link flags of a Node addon.

fn main() {
    napi_build::setup();
    // A worker that loaded the addon alone makes Node `dlclose` it while pool threads still run its code
    // (facts/node-api.md A6). `nodelete` keeps the image mapped for the life of the process.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
