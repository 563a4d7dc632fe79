/** The script of the service's pool: a file beside the bundle, or an entry of its own. */
import { pageOf } from './pages.mjs';

export const render = (number) => `<p>${pageOf(number)}</p>`;

export function fail(message) {
  throw new RangeError(message);
}
