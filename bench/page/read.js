'use strict';

/** How figures are read from a contest's result. */

const ratioTo =
  (name) =>
  ({ entries }) =>
    entries.find((one) => one.name === name)?.ratio;

const isLibrary = ({ library }) => library === true;
/** Not another way of ours. */
const isOther = ({ name }) => !name.startsWith('rust-workers');

/** The rival that ours is the least times better than. */
const best = ({ entries }, among) =>
  entries
    .slice(1)
    .filter(among)
    .reduce((least, one) => (least === undefined || one.ratio < least.ratio ? one : least), undefined);

module.exports = { best, isLibrary, isOther, ratioTo };
