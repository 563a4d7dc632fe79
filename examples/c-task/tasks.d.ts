import 'rust-workers';

declare module 'rust-workers' {
  interface TaskMap {
    mandelbrot: { input: { width: number; height: number; iterations?: number }; output: Uint8Array };
    invert: { input: Uint8Array; output: Uint8Array };
    norms: { input: { columns: number; cells: Float64Array }; output: Float64Array };
  }
}
