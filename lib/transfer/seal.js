'use strict';

/**
 * How a receiver distinguishes a message with objects of ours from data of users: by a seal that nobody else can make
 * (src/seal.rs).
 *
 *     { [NAME]: number, stamp, image, value, records }
 *
 * The name is random and the same all through the process, so the receiver looks at one property. Another object that has
 * it is a copy of a message of ours; it is a message of ours only if the stamp is right for this route and this number.
 * Seals of a Worker's route count up, and one that is not above the last opens nothing: an echo is data.
 *
 * A file of its own: a thread that only looks for seals need not load the rest.
 */

const { binding } = require('../native');

const { sealSingle, sealStamp, redeemSeal } = binding;
const { hasOwn } = Object;

/** A property's name, so that it is the one string that V8 compares by its address. */
const [NAME] = Object.keys({ [`rust-workers must be loaded in this thread to read this (${binding.sealName()})`]: 0 });
const IMAGE = binding.sealImage();

// Routes, for which a stamp is good.
/** To a Worker's thread, from its parent. */
const TO_WORKER = 0;
/** From a Worker's thread, to its parent. */
const TO_PARENT = 1;
/** By any way, once. */
const ONCE = 2;
/** As `workerData`, once. */
const WORKER_DATA = 3;
/** In environment data, for every thread that is started. */
const ENVIRONMENT_DATA = 4;

function envelope(number, stamp, { value, records }) {
  return { [NAME]: number, stamp, image: IMAGE, value, records };
}

/** Whether the seal of a message is right for its number on this route. */
const isStamped = (message, route, thread, number) =>
  message.stamp === sealStamp(route, thread, message.image, number);

/**
 * The number of a message that may be one of ours; undefined for every other.
 *
 * @param {unknown} message as Node hands it over, so nothing in it can notice that it is asked
 */
function numberOf(message) {
  if (typeof message !== 'object' || message === null) return undefined;
  const number = message[NAME];
  if (number === undefined) return undefined;
  const isOurs = hasOwn(message, NAME) && Number.isSafeInteger(number) && Number.isSafeInteger(message.image);
  return isOurs ? number : undefined;
}

/** @typedef {import('./serialization').Bundle} Bundle */

function sealOnce(route, bundle) {
  const number = sealSingle();
  return envelope(number, sealStamp(route, 0, IMAGE, number), bundle);
}

function openOnce(route, message, number) {
  if (!isStamped(message, route, 0, number)) return undefined;
  // Only the image that issued a number can redeem it: for a number of another image, this one can only refuse the message.
  return message.image !== IMAGE || redeemSeal(number) ? message : undefined;
}

/**
 * A message for a route without an order of its own. It can be opened once, wherever it arrives.
 *
 * @param {Bundle} bundle
 */
const seal = (bundle) => sealOnce(ONCE, bundle);

/**
 * The bundle in a message that `seal` made; undefined for every other message.
 *
 * @returns {Bundle & { image: number } | undefined}
 */
function unseal(message) {
  const number = numberOf(message);
  return number === undefined ? undefined : openOnce(ONCE, message, number);
}

/** A message to be the `workerData` of one thread, and nothing else. */
const sealWorkerData = (bundle) => sealOnce(WORKER_DATA, bundle);

function unsealWorkerData(message) {
  const number = numberOf(message);
  return number === undefined ? undefined : openOnce(WORKER_DATA, message, number) ?? openOnce(ONCE, message, number);
}

/** A message in environment data: every new thread gets a copy of it, and each copy may be opened any number of times. */
function sealEnvironmentData(bundle) {
  return envelope(0, sealStamp(ENVIRONMENT_DATA, 0, IMAGE, 0), bundle);
}

function unsealEnvironmentData(message) {
  const number = numberOf(message);
  return number === 0 && isStamped(message, ENVIRONMENT_DATA, 0, number) ? message : undefined;
}

/**
 * One end of the route between a Worker's thread and its parent: seals messages for the other end, and opens messages from
 * it.
 */
class WorkerRoute {
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
    this.#out = isParents ? TO_WORKER : TO_PARENT;
    this.#in = isParents ? TO_PARENT : TO_WORKER;
  }

  /** @param {Bundle} bundle */
  seal(bundle) {
    const number = ++this.#sent;
    return envelope(number, sealStamp(this.#out, this.#thread, IMAGE, number), bundle);
  }

  /**
   * The bundle in a message of this route; undefined for every other message. For the message of another image, all but
   * its number is checked.
   *
   * @returns {Bundle & { image: number } | undefined}
   */
  unseal(message) {
    const number = numberOf(message);
    if (number === undefined) return undefined;
    if (!isStamped(message, this.#in, this.#thread, number)) return openOnce(ONCE, message, number);
    if (message.image !== IMAGE) return message;
    if (number <= this.#seen) return undefined;
    this.#seen = number;
    return message;
  }
}

module.exports = {
  IMAGE, WorkerRoute, seal, sealEnvironmentData, sealWorkerData, unseal, unsealEnvironmentData, unsealWorkerData,
};
