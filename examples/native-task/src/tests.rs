//! The tasks without Node.js: `cargo test`.

use rust_workers_task::testing::{self, Stop};
use rust_workers_task::{Array, Bytes};
use serde::Serialize;

#[derive(Serialize)]
struct Area {
    width: u32,
    height: u32,
}

#[test]
fn mandelbrot_has_a_byte_for_each_pixel() {
    let area = Area { width: 32, height: 24 };
    let mut rows = Vec::new();
    let pixels = testing::task("mandelbrot")
        .input(&area)
        .on_progress(|done| rows.extend(done.get("rows").and_then(|rows| rows.as_f64())))
        .run::<Bytes>()
        .unwrap();
    assert_eq!(pixels.len(), 32 * 24);
    assert_eq!(rows, (1..=24).map(f64::from).collect::<Vec<_>>());
    let error = testing::task("mandelbrot").input(&Area { width: 0, height: 1 }).run::<Bytes>().unwrap_err();
    assert_eq!((error.name(), error.code()), ("RangeError", "EMPTY_AREA"));
}

#[test]
fn mandelbrot_stops() {
    let stop = Stop::new();
    let run = testing::task("mandelbrot").input(&Area { width: 8, height: 1_000_000 }).stop(&stop);
    assert!(run.on_progress(|_| stop.cancel()).run::<Bytes>().unwrap_err().is_stopped());
}

#[test]
fn invert_returns_its_input() {
    assert_eq!(testing::task("invert").array(vec![0u8, 1, 255]).run::<Bytes>().unwrap()[..], [255, 254, 0]);
    assert!(testing::task("invert").array(vec![0u8; 5_000]).returns_its_input().unwrap());
}

#[test]
fn norms_are_the_same_on_any_number_of_threads() {
    let cells = Array(vec![3.0, 4.0].repeat(1_000));
    for threads in [1, 4] {
        let norms = testing::task("norms").input(&(2, &cells)).threads(threads).run::<Vec<f64>>().unwrap();
        assert_eq!(norms, vec![5.0; 1_000]);
    }
    assert!(testing::task("norms").input(&(3, &cells)).run::<Vec<f64>>().unwrap_err().is_invalid_input());
}
