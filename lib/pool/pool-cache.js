'use strict';

/**
 * The outputs that a pool keeps for tasks with the option `cache`: the least recently used goes first, and each for so long at the
 * most. An output is kept as the object that it is, as by p-memoize, DataLoader or lru-cache: who changes it changes it for all.
 *
 * Nothing is kept of a run that was under way when its key was deleted: it may have begun before what the key stands for changed.
 */

const { showState } = require('../inspection');
const { now } = require('../runtime/clock');
const { validateString } = require('../validators');

/** One key of a cache, for all tasks or one of them: `task` and `key` stand beside each other where they are looked up. */
const placeOf = (task, key) => `${task.length}:${task}${key}`;

class PoolCache {
  #max;
  #ttl;
  /** Called with a key, and a task's name or undefined for all, when outputs under way are not to be kept. */
  #forgetRuns;
  /** place -> `{ value, ends, task, key }`, the least recently used first. */
  #entries = new Map();
  /** key -> the places under it. */
  #places = new Map();
  #hits = 0;
  #misses = 0;

  /**
   * @param {{ max: number, ttl: number }} settings
   * @param {(key: string | undefined, task: string | undefined) => void} forgetRuns
   */
  constructor({ max, ttl }, forgetRuns) {
    this.#max = max;
    this.#ttl = ttl;
    this.#forgetRuns = forgetRuns;
  }

  get size() {
    this.#dropOld();
    return this.#entries.size;
  }

  get max() {
    return this.#max;
  }

  get ttl() {
    return this.#ttl;
  }

  has(key, task) {
    validateKey(key, task);
    for (const place of this.#placesOf(key, task)) if (this.#entries.get(place).ends > now()) return true;
    return false;
  }

  delete(key, task) {
    validateKey(key, task);
    this.#forgetRuns(key, task);
    const places = this.#placesOf(key, task);
    for (const place of places) this.#drop(place);
    return places.length > 0;
  }

  clear() {
    this.#forgetRuns(undefined, undefined);
    this.#entries.clear();
    this.#places.clear();
  }

  /** For the pool: what is kept of this task under this key, as `{ value }`. */
  take(task, key) {
    const place = placeOf(task, key);
    const entry = this.#entries.get(place);
    if (entry === undefined || entry.ends <= now()) {
      if (entry !== undefined) this.#drop(place);
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#entries.delete(place);
    this.#entries.set(place, entry);
    return entry;
  }

  /** For the pool: keeps an output. */
  keep(task, key, value) {
    const place = placeOf(task, key);
    if (this.#entries.has(place)) this.#drop(place);
    this.#entries.set(place, { value, ends: now() + this.#ttl, task, key });
    const places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, new Set([place]));
    else places.add(place);
    if (this.#entries.size > this.#max) this.#dropOld();
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#max) break;
      this.#drop(oldest);
    }
  }

  /** For the pool's statistics: how often something was found, and how often not. */
  get hits() {
    return this.#hits;
  }

  get misses() {
    return this.#misses;
  }

  #placesOf(key, task) {
    const places = this.#places.get(key);
    if (places === undefined) return [];
    if (task === undefined) return [...places];
    const place = placeOf(task, key);
    return places.has(place) ? [place] : [];
  }

  #drop(place) {
    const { key } = this.#entries.get(place);
    this.#entries.delete(place);
    const places = this.#places.get(key);
    places.delete(place);
    if (places.size === 0) this.#places.delete(key);
  }

  #dropOld() {
    if (this.#ttl === Infinity) return;
    const time = now();
    for (const [place, { ends }] of this.#entries) if (ends <= time) this.#drop(place);
  }

}

showState(PoolCache, ({ size, max, ttl, hits, misses }) => ({ size, max, ttl, hits, misses }));

function validateKey(key, task) {
  validateString(key, 'key');
  if (task !== undefined) validateString(task, 'task');
}

module.exports = { PoolCache };
