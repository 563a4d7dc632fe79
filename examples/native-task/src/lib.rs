//! Three tasks for pools of rust-workers. Copy this folder, and replace them by yours.

use rust_workers_task::{Array, Context, Error, task};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub struct Area {
    width: usize,
    height: usize,
    #[serde(default = "default_iterations")]
    iterations: u32,
}

fn default_iterations() -> u32 {
    200
}

#[derive(Serialize)]
struct Done {
    rows: usize,
}

/// The Mandelbrot set, one byte a pixel: how soon it escapes. Tells after each row how many are done, and stops when it should.
#[task(takes = "{ width, height, iterations }")]
fn mandelbrot(area: Area, context: &Context) -> Result<Vec<u8>, Error> {
    if area.width == 0 || area.height == 0 {
        return Err(Error::new("an area has at least one pixel")
            .with_name("RangeError")
            .with_code("EMPTY_AREA"));
    }
    let mut pixels = Vec::new();
    for row in 0..area.height {
        context.check()?;
        let imaginary = row as f64 / area.height as f64 * 2.4 - 1.2;
        pixels.extend((0..area.width).map(|column| {
            let real = column as f64 / area.width as f64 * 3.2 - 2.2;
            escape(real, imaginary, area.iterations)
        }));
        context.progress(&Done { rows: row + 1 })?;
    }
    Ok(pixels)
}

fn escape(real: f64, imaginary: f64, iterations: u32) -> u8 {
    let (mut x, mut y) = (0.0, 0.0);
    for step in 0..iterations {
        if x * x + y * y > 4.0 {
            return (step * 255 / iterations) as u8;
        }
        (x, y) = (x * x - y * y + real, 2.0 * x * y + imaginary);
    }
    255
}

/// Inverts each byte where it stands, and gives the same memory back.
#[task]
fn invert(pixels: &mut [u8]) -> &mut [u8] {
    for pixel in pixels.iter_mut() {
        *pixel = !*pixel;
    }
    pixels
}

/// The norm of each row of a matrix, on as many threads as the pool has free.
#[task(parallel)]
fn norms((columns, cells): (usize, Array<f64>), context: &Context) -> Result<Vec<f64>, Error> {
    if columns == 0 || !cells.len().is_multiple_of(columns) {
        return Err(Error::invalid_input(format!("{} cells are no rows of {columns}", cells.len())));
    }
    let mut norms = vec![0.0; cells.len() / columns];
    context.parallel_chunks(&mut norms, 64, |chunk, norms, part| {
        part.check()?;
        let rows = cells[chunk * 64 * columns..].chunks(columns);
        for (norm, row) in norms.iter_mut().zip(rows) {
            *norm = row.iter().map(|cell| cell * cell).sum::<f64>().sqrt();
        }
        Ok(())
    })?;
    Ok(norms)
}

#[cfg(test)]
mod tests;
