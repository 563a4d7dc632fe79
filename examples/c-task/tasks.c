/* Three tasks for pools of rust-workers. Copy this folder, and replace them by yours. */

#include <math.h>
#include <rust_workers.h>

/* Tells onProgress of the caller; with RW_STOPPED the task should end. */
static int32_t tell_rows(const rw_host *host, rw_call *call, int64_t rows) {
  rw_writer writer = rw_write();
  rw_put_object(&writer, 1);
  rw_put_string(&writer, "rows");
  rw_put_number(&writer, (double)rows);
  rw_value report = rw_written(&writer);
  int32_t outcome = host->progress(call, &report);
  rw_free(&writer);
  return outcome == RW_STOPPED ? RW_STOPPED : RW_OK;
}

static uint8_t escape(double real, double imaginary, int64_t iterations) {
  double x = 0, y = 0;
  for (int64_t step = 0; step < iterations; step++) {
    if (x * x + y * y > 4) return (uint8_t)(step * 255 / iterations);
    double next = x * x - y * y + real;
    y = 2 * x * y + imaginary;
    x = next;
  }
  return 255;
}

/* The Mandelbrot set, one byte a pixel: how soon it escapes. Tells after each row how many are done, and stops when it should. */
static int32_t mandelbrot(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)data;
  rw_reader reader = rw_read(input);
  int64_t width = rw_integer_field(&reader, "width");
  int64_t height = rw_integer_field(&reader, "height");
  int64_t iterations = rw_has(&reader, "iterations") ? rw_integer_field(&reader, "iterations") : 200;
  if (!rw_ok(&reader)) return rw_refuse(host, call, &reader);

  const int64_t most = 1 << 30;
  if (width < 1 || height < 1 || iterations < 1)
    return rw_fail_as(host, call, "RangeError", "EMPTY_AREA", "an area has at least one pixel, and one iteration");
  if (width > most / height || iterations > most)
    return rw_fail_as(host, call, "RangeError", "LARGE_AREA", "an area has at most 2 ** 30 pixels, and as many iterations");

  uint8_t *pixels = host->alloc(call, (size_t)(width * height));
  if (!pixels) return rw_fail(host, call, "there is no memory for so many pixels");
  for (int64_t row = 0; row < height; row++) {
    double imaginary = (double)row / (double)height * 2.4 - 1.2;
    for (int64_t column = 0; column < width; column++) {
      RW_CHECK(host, call);
      double real = (double)column / (double)width * 3.2 - 2.2;
      pixels[row * width + column] = escape(real, imaginary, iterations);
    }
    if (tell_rows(host, call, row + 1) == RW_STOPPED) return RW_STOPPED;
  }
  return rw_return_alloc(host, call, RW_UINT8_ARRAY, pixels, (size_t)(width * height));
}

/* Inverts each byte where it stands, and gives the same memory back. */
static int32_t invert(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)data;
  rw_reader reader = rw_read(input);
  rw_block pixels = rw_get_bytes(&reader);
  if (!rw_ok(&reader)) return rw_refuse(host, call, &reader);
  if (rw_element_size(pixels.type) != 1) return rw_got(host, call, "an array of larger elements");

  /* A few bytes stand in the value itself, which is not the task's to write to. */
  uint8_t *to = pixels.own ? pixels.own : host->alloc(call, pixels.len);
  if (!to) return rw_fail(host, call, "there is no memory for the pixels");
  for (size_t nth = 0; nth < pixels.len; nth++) to[nth] = (uint8_t)~pixels.data[nth];
  if (!pixels.own) return rw_return_alloc(host, call, pixels.type, to, pixels.len);
  rw_writer writer = rw_write();
  rw_put_block(&writer, &pixels);
  return rw_return(host, call, &writer);
}

/* What the parts of `norms` share. */
struct matrix {
  const rw_host *host;
  rw_block cells;
  size_t columns, rows;
  double *norms;
};

enum { ROWS_OF_A_PART = 64 };

static int32_t norms_of_part(rw_call *call, size_t part, void *data) {
  const struct matrix *matrix = data;
  RW_CHECK(matrix->host, call);
  for (size_t row = part * ROWS_OF_A_PART; row < matrix->rows && row < (part + 1) * ROWS_OF_A_PART; row++) {
    double sum = 0;
    for (size_t column = 0; column < matrix->columns; column++) {
      double cell = rw_element(&matrix->cells, row * matrix->columns + column);
      sum += cell * cell;
    }
    matrix->norms[row] = sqrt(sum);
  }
  return RW_OK;
}

/* The norm of each row of a matrix, on as many threads as the pool has free. */
static int32_t norms(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  (void)data;
  rw_reader reader = rw_read(input);
  int64_t columns = rw_integer_field(&reader, "columns");
  rw_block cells = rw_bytes_field(&reader, "cells");
  if (!rw_ok(&reader)) return rw_refuse(host, call, &reader);
  if (cells.type != RW_FLOAT64_ARRAY) return rw_got(host, call, "cells that are no Float64Array");
  if (columns < 1 || rw_elements(&cells) % (size_t)columns != 0) return rw_got(host, call, "cells that are no whole rows");

  size_t rows = rw_elements(&cells) / (size_t)columns;
  uint8_t *memory = host->alloc(call, rows * sizeof(double));
  if (!memory) return rw_fail(host, call, "there is no memory for the norms");
  struct matrix matrix = {host, cells, (size_t)columns, rows, (double *)(void *)memory};
  int32_t outcome = host->parallel_for(call, (rows + ROWS_OF_A_PART - 1) / ROWS_OF_A_PART, norms_of_part, &matrix);
  if (outcome != RW_OK) return outcome;
  return rw_return_alloc(host, call, RW_FLOAT64_ARRAY, memory, rows * sizeof(double));
}

RW_PACK("c-task", "0.1.0",
        RW_TASK("mandelbrot", "{ width, height, iterations }", mandelbrot),
        RW_TASK("invert", "bytes", invert),
        RW_TASK_WITH("norms", "{ columns, cells }", norms, RW_TASK_PARALLEL, NULL))
