'use strict';

/**
 * One pair in its process: the first rival, which is ours, and one other. They take turns, so that whatever the machine does
 * beside it meets both alike.
 */

const { setTimeout: after } = require('node:timers/promises');

const { median } = require('./measure');

const ROUNDS = 7;
const WARMUPS = 2;
const STOP_MS = 5_000;

/** A round's answer is a number, or an object with `value` and, by name, the further columns of the table. */
const asObject = (answer) => (typeof answer === 'number' ? { value: answer } : answer);

/** Of each column the median, the least and the most. */
function columns(rounds) {
  return Object.fromEntries(
    Object.keys(rounds[0]).map((name) => {
      const numbers = rounds.map((round) => round[name]);
      return [name, { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) }];
    }),
  );
}

/**
 * The median over the rounds of how many times better the first is: neighbours in time are compared, so that a load which
 * comes and goes takes no part in it.
 */
function betterBy(first, other, better) {
  return median(first.map(({ value }, at) => (better === 'more' ? value / other[at].value : other[at].value / value)));
}

/**
 * @param {object} contest see ../README.md
 * @param {number[]} which indices of the rivals: the first one, or that and another
 * @param {{ rounds?: number }} options
 */
async function holdPair(contest, which, { rounds: asked }) {
  const rounds = Math.min(asked ?? Infinity, contest.rounds ?? ROUNDS);
  const context = await contest.context?.();
  const rivals = [];
  for (const index of which) rivals.push(await contest.rivals[index].open({ context }));
  const answers = rivals.map(() => []);
  const warmups = asked === undefined ? (contest.warmups ?? WARMUPS) : Math.min(1, rounds - 1);
  for (let round = -warmups; round < rounds; round++) {
    for (let turn = 0; turn < rivals.length; turn++) {
      // The other one begins each time: neither always follows the other.
      const at = Math.abs(turn + round) % rivals.length;
      const answer = asObject(await rivals[at].round());
      if (round >= 0) answers[at].push(answer);
    }
  }
  // The process ends after this, so a peer whose stop hangs (piscina's destroy has) need not be waited for.
  for (const { stop } of rivals) await Promise.race([stop?.(), after(STOP_MS)]);
  const [first, other] = answers;
  return {
    rounds,
    columns: answers.map(columns),
    ratio: other && betterBy(first, other, contest.better),
  };
}

module.exports = { holdPair };
