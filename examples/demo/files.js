'use strict';

/** Finding files, and going through them with a bounded amount of them in memory. */

const fs = require('node:fs/promises');
const path = require('node:path');

/** How many files, and how many of their bytes, are in memory at once. One larger file goes alone. */
const MAX_FILES_IN_FLIGHT = 32;
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/** Texts for the errors of a file system. */
const REASONS = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'a loop of symbolic links',
  ERR_FS_FILE_TOO_LARGE: 'larger than Node reads in one piece',
};

/** @returns {string} why a path could not be read */
function reason(error) {
  return REASONS[error.code] ?? error.message;
}

/**
 * Every regular file under `place`, or `place` itself. Symbolic links inside are not followed, so there are
 * no loops; what is neither file nor folder is passed over.
 *
 * @param {string} place a file or folder that can be read
 * @param {(place: string, error: Error) => void} onUnreadable for each folder inside that cannot be read
 * @returns {AsyncGenerator<string>} paths, in order of name within a folder
 */
async function* walk(place, onUnreadable) {
  if (!(await fs.stat(place)).isDirectory()) {
    yield place;
    return;
  }
  const folders = [place];
  while (folders.length > 0) {
    const folder = folders.pop();
    let entries;
    try {
      entries = await fs.readdir(folder, { withFileTypes: true });
    } catch (error) {
      onUnreadable(folder, error);
      continue;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const inside = path.join(folder, entry.name);
      if (entry.isDirectory()) folders.push(inside);
      else if (entry.isFile()) yield inside;
    }
  }
}

/**
 * Lists what can be read, and reads each file once, so that both ways find it in the system's cache.
 *
 * @param {string[]} places files or folders
 * @returns {Promise<{ files: Array<{ name: string, size: number, mtimeMs: number }>,
 *   skipped: Array<{ name: string, why: string }> }>}
 */
async function survey(places) {
  const files = [];
  const skipped = [];
  const skip = (name, error) => skipped.push({ name, why: reason(error) });
  for (const place of places) {
    for await (const name of walk(place, skip)) {
      try {
        const { size, mtimeMs } = await fs.stat(name);
        await fs.readFile(name);
        files.push({ name, size, mtimeMs });
      } catch (error) {
        skip(name, error);
      }
    }
  }
  return { files, skipped };
}

/** Whether a file is another one than it was when it was surveyed, or gone. */
async function hasChanged({ name, size, mtimeMs }) {
  const now = await fs.stat(name).catch(() => undefined);
  return now === undefined || now.size !== size || now.mtimeMs !== mtimeMs;
}

/**
 * Calls `work` for every file, a bounded number of them at once.
 *
 * @template {{ size: number }} F
 * @param {F[]} files
 * @param {(file: F, index: number) => Promise<void>} work its first error ends the whole, once what runs has
 *   ended
 */
async function forEachBounded(files, work) {
  const running = new Set();
  let bytes = 0;
  let failure;
  const start = (file, index) => {
    bytes += file.size;
    const run = work(file, index)
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => {
        running.delete(run);
        bytes -= file.size;
      });
    running.add(run);
  };
  for (let index = 0; index < files.length && failure === undefined; index += 1) {
    const isFull = () =>
      running.size >= MAX_FILES_IN_FLIGHT || bytes + files[index].size > MAX_BYTES_IN_FLIGHT;
    while (running.size > 0 && isFull()) await Promise.race(running);
    start(files[index], index);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}

module.exports = { survey, hasChanged, forEachBounded, reason };
