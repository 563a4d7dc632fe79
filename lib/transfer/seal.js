'use strict';

/**
 * How a message with objects of ours is told from data of users: by a seal that nobody else can make (src/seal.rs).
 *
 *     { [NAME]: number, stamp, image, value, records }
 *
 * The name is random and the same all through the process, so whoever receives looks at one property. What else has it
 * has copied a message of ours; only if the stamp is right for this road and this number is it one. Seals of a road count
 * up, and one that is not above the last opens nothing: an echo is data. By itself: who only asks need not load the rest.
 */

const { binding } = require('../native');

const { sealSingle, sealStamp, redeemSeal } = binding;
const { hasOwn } = Object;

/** A property's name, so that it is the one string that V8 compares by its address. */
const [NAME] = Object.keys({ [`rust-workers must be loaded in this thread to read this (${binding.sealName()})`]: 0 });
const IMAGE = binding.sealImage();

/** To a Worker's thread, from its parent. */
const DOWN = 0;
/** From a Worker's thread, to its parent. */
const UP = 1;
/** By whatever way, once. */
const SINGLE = 2;
/** As `workerData`, once. */
const DATA = 3;
/** In environment data, for every thread that is started. */
const STANDING = 4;

function envelope(number, stamp, { value, records }) {
  return { [NAME]: number, stamp, image: IMAGE, value, records };
}

/** Whether the seal of a message is right for its number on this road. */
const isStamped = (message, road, thread, number) =>
  message.stamp === sealStamp(road, thread, message.image, number);

/**
 * The number of a message that may be one of ours; undefined for every other.
 *
 * @param {unknown} message as Node hands it over, so there is nothing in it that would notice
 */
function numberOf(message) {
  if (typeof message !== 'object' || message === null) return undefined;
  const number = message[NAME];
  if (number === undefined) return undefined;
  const isOurs = hasOwn(message, NAME) && Number.isSafeInteger(number) && Number.isSafeInteger(message.image);
  return isOurs ? number : undefined;
}

/** @typedef {{ value: unknown, records: object[] }} Bundle what `departure` gives and `arrive` takes */

function sealOnce(road, bundle) {
  const number = sealSingle();
  return envelope(number, sealStamp(road, 0, IMAGE, number), bundle);
}

function openOnce(road, message, number) {
  if (!isStamped(message, road, 0, number)) return undefined;
  // What another image gave out it has to strike out: this one can only say that it is not for here.
  return message.image !== IMAGE || redeemSeal(number) ? message : undefined;
}

/**
 * A message for a way without an order of its own. It can be opened once, wherever it arrives.
 *
 * @param {Bundle} bundle
 */
const seal = (bundle) => sealOnce(SINGLE, bundle);

/**
 * The bundle in a message that `seal` made; undefined for every other message.
 *
 * @returns {Bundle & { image: number } | undefined}
 */
function unseal(message) {
  const number = numberOf(message);
  return number === undefined ? undefined : openOnce(SINGLE, message, number);
}

/** A message to be the `workerData` of one thread, and nothing else. */
const sealData = (bundle) => sealOnce(DATA, bundle);

function unsealData(message) {
  const number = numberOf(message);
  return number === undefined ? undefined : openOnce(DATA, message, number) ?? openOnce(SINGLE, message, number);
}

/** A message that stands where every new thread gets a copy of it, and may be opened as often as one likes. */
function sealStanding(bundle) {
  return envelope(0, sealStamp(STANDING, 0, IMAGE, 0), bundle);
}

function unsealStanding(message) {
  const number = numberOf(message);
  return number === 0 && isStamped(message, STANDING, 0, number) ? message : undefined;
}

/** One end of the way between a Worker's thread and its parent: what is sealed for the other end, and opened here. */
class Road {
  #thread;
  #out;
  #in;
  #sent = 0;
  #seen = 0;

  /**
   * @param {number} thread the Worker's `threadId`
   * @param {boolean} isParents whether this is the parent's end
   */
  constructor(thread, isParents) {
    this.#thread = thread;
    this.#out = isParents ? DOWN : UP;
    this.#in = isParents ? UP : DOWN;
  }

  /** @param {Bundle} bundle */
  seal(bundle) {
    const number = ++this.#sent;
    return envelope(number, sealStamp(this.#out, this.#thread, IMAGE, number), bundle);
  }

  /**
   * The bundle in a message of this road; undefined for every other message. For the message of another image, all but
   * its number is checked.
   *
   * @returns {Bundle & { image: number } | undefined}
   */
  unseal(message) {
    const number = numberOf(message);
    if (number === undefined) return undefined;
    if (!isStamped(message, this.#in, this.#thread, number)) return openOnce(SINGLE, message, number);
    if (message.image !== IMAGE) return message;
    if (number <= this.#seen) return undefined;
    this.#seen = number;
    return message;
  }
}

module.exports = { IMAGE, Road, seal, sealData, sealStanding, unseal, unsealData, unsealStanding };
