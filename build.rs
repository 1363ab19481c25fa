//! Links the program at fixed addresses. Otherwise every process of it rewrites half a megabyte of pointers as it starts,
//! which no two of them share: a hundred supervisors would need forty megabytes more.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
