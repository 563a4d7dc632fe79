'use strict';

/**
 * Checks a trace against the format of Chrome's traces ("Trace Event Format", 2016): the fields of each kind of event, how slices of
 * a row nest, and that arrows begin and end in slices.
 */

const assert = require('node:assert/strict');

const NUMBER = 'number';
const TEXT = 'string';

/** Fields of each kind of event: required, and allowed. */
const COMMON = { ph: TEXT, name: TEXT, pid: NUMBER, tid: NUMBER, ts: NUMBER };
const KINDS = {
  M: { required: { ...COMMON, args: 'object' } },
  X: { required: { ...COMMON, cat: TEXT, dur: NUMBER, args: 'object' }, allowed: { cname: TEXT } },
  C: { required: { ...COMMON, cat: TEXT, args: 'object' } },
  s: { required: { ...COMMON, cat: TEXT, id: NUMBER } },
  t: { required: { ...COMMON, cat: TEXT, id: NUMBER, bp: TEXT } },
  f: { required: { ...COMMON, cat: TEXT, id: NUMBER, bp: TEXT } },
};
/** What metadata events may be called, and their one argument. */
const METADATA = { process_name: ['name', TEXT], thread_name: ['name', TEXT], thread_sort_index: ['sort_index', NUMBER] };

function checkFields(event) {
  const kind = KINDS[event.ph];
  assert.ok(kind !== undefined, `no such phase: ${JSON.stringify(event)}`);
  for (const [field, type] of Object.entries(kind.required)) {
    assert.equal(typeof event[field], type, `${field} of ${JSON.stringify(event)}`);
  }
  for (const [field, value] of Object.entries(event)) {
    if (field in kind.required) continue;
    assert.equal(typeof value, kind.allowed?.[field], `${field} of ${JSON.stringify(event)}`);
  }
  assert.ok(Number.isFinite(event.ts) && event.ts >= 0, JSON.stringify(event));
  assert.ok(Number.isInteger(event.pid) && Number.isInteger(event.tid) && event.tid >= 0, JSON.stringify(event));
  if (event.ph === 'X') assert.ok(Number.isFinite(event.dur) && event.dur > 0, JSON.stringify(event));
  if (event.ph === 'M') {
    const [argument, type] = METADATA[event.name] ?? [];
    assert.equal(typeof event.args[argument], type, JSON.stringify(event));
  }
  if (event.ph === 'C') {
    for (const value of Object.values(event.args)) assert.ok(Number.isFinite(value) && value >= 0, JSON.stringify(event));
  }
  if (event.ph === 't' || event.ph === 'f') assert.equal(event.bp, 'e');
}

/** Slices of one row do not overlap: each ends before the next begins. */
function checkRow(slices, name) {
  for (let i = 1; i < slices.length; i++) {
    const { ts, dur } = slices[i - 1];
    // Times are microseconds with three digits.
    assert.ok(ts + dur <= slices[i].ts + 1e-6, `${name}: ${JSON.stringify(slices.slice(i - 1, i + 1))}`);
  }
}

/**
 * @param {object} trace parsed
 * @returns {{ rows: Map<string, object[]>, arrows: Map<number, object>, counters: Map<string, object[]> }} the slices by the
 *   names of their rows; each arrow's events by its id; and the counters' events
 */
function checkTrace(trace) {
  assert.deepEqual(Object.keys(trace).sort(), ['displayTimeUnit', 'otherData', 'traceEvents']);
  assert.equal(trace.displayTimeUnit, 'ms');
  const names = new Map();
  const byRow = new Map();
  const arrows = new Map();
  const counters = new Map();
  let last = 0;
  for (const event of trace.traceEvents) {
    checkFields(event);
    assert.ok(event.ts >= last, 'events are in order of time');
    last = event.ts;
    const { ph, tid, name } = event;
    if (name === 'thread_name') {
      assert.ok(!names.has(tid), 'a row has one name');
      names.set(tid, event.args.name);
    }
    if (ph === 'X') byRow.set(tid, [...(byRow.get(tid) ?? []), event]);
    if (ph === 'C') counters.set(name, [...(counters.get(name) ?? []), event]);
    if ('stf'.includes(ph)) {
      const arrow = arrows.get(event.id) ?? { s: [], t: [], f: [] };
      arrow[ph].push(event);
      arrows.set(event.id, arrow);
    }
  }
  for (const [tid, slices] of byRow) checkRow(slices, names.get(tid) ?? assert.fail(`row ${tid} has no name`));
  const isInSlice = ({ tid, ts }) => byRow.get(tid)?.some((slice) => slice.ts <= ts && ts <= slice.ts + slice.dur);
  for (const { s, t, f } of arrows.values()) {
    assert.equal(s.length, 1, 'an arrow has one beginning');
    assert.ok(t.length >= 1 && f.length <= 1);
    for (const end of [...s, ...t, ...f]) assert.ok(isInSlice(end), `an end in no slice: ${JSON.stringify(end)}`);
    for (const end of [...t, ...f]) assert.ok(end.ts >= s[0].ts, 'it leads forward in time');
  }
  return { rows: new Map([...names].map(([tid, name]) => [name, byRow.get(tid) ?? []])), arrows, counters };
}

module.exports = { checkTrace };
