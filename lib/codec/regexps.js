'use strict';

// Source and flags of a RegExp by its inner slots, whatever a program has done to its prototype.

const { getOwnPropertyDescriptor } = Object;
const source = getOwnPropertyDescriptor(RegExp.prototype, 'source').get;
const flags = Object.entries({
  d: 'hasIndices', g: 'global', i: 'ignoreCase', m: 'multiline', s: 'dotAll', u: 'unicode', v: 'unicodeSets',
  y: 'sticky',
}).map(([flag, name]) => ({ flag, get: getOwnPropertyDescriptor(RegExp.prototype, name)?.get }))
  .filter(({ get }) => get !== undefined);

const sourceOf = (regexp) => source.call(regexp);

function flagsOf(regexp) {
  let all = '';
  for (let i = 0; i < flags.length; i++) if (flags[i].get.call(regexp)) all += flags[i].flag;
  return all;
}

module.exports = { flagsOf, sourceOf };
