'use strict';

/** What of a graph breaks the rules: circles of files, arrows between rooms, words in the wrong room, files in none. */

const { circles } = require('./circles');

/** The room with the longest entry that fits. */
function roomOf(file, rooms) {
  let best;
  let length = -1;
  for (const room of rooms) {
    for (const entry of room.files) {
      const fits = entry.endsWith('/') ? file.startsWith(entry) : file === entry;
      if (fits && entry.length > length) {
        best = room;
        length = entry.length;
      }
    }
  }
  return best;
}

/** Faults of the table itself. */
function faultsOfTable(files, rooms) {
  const faults = [];
  rooms.forEach(({ room, files: entries, imports }, i) => {
    const below = new Set(rooms.slice(i + 1).map((it) => it.room));
    for (const name of imports) {
      if (!below.has(name)) faults.push(`${room} may import ${name}, but that does not stand below it`);
    }
    for (const entry of entries) {
      const isThere = files.some((file) => (entry.endsWith('/') ? file.startsWith(entry) : file === entry));
      if (!isThere) faults.push(`${room} names ${entry}, which is not there`);
    }
  });
  return faults;
}

/**
 * @param {{ language: string, files: string[], arrows: object[], faults: object[], words: object[] }[]} graphs
 * @param {{ rooms: object[], words: object[] }} table
 */
function judge(graphs, { rooms, words }) {
  const files = graphs.flatMap((graph) => graph.files);
  const known = new Map(files.map((file) => [file, roomOf(file, rooms)]));
  const arrows = graphs.flatMap((graph) => graph.arrows);
  const forbidden = [];
  for (const arrow of arrows) {
    const from = known.get(arrow.from);
    const to = known.get(arrow.to);
    if (from === undefined || to === undefined || from === to || from.imports.includes(to.room)) continue;
    forbidden.push({ ...arrow, rule: `${from.room} must not import ${to.room}. ${from.why}` });
  }
  const misplaced = [];
  for (const rule of words) {
    const seen = new Set();
    for (const { file, line, text } of graphs.find(({ language }) => language === rule.language)?.words ?? []) {
      // The first one of a file is enough.
      if (seen.has(file) || !rule.word.test(text) || rule.rooms.includes(known.get(file)?.room)) continue;
      seen.add(file);
      misplaced.push({ file, line, text, rule: rule.why });
    }
  }
  return {
    circles: circles({ files, arrows }),
    forbidden,
    misplaced,
    homeless: files.filter((file) => known.get(file) === undefined),
    faults: graphs.flatMap((graph) => graph.faults),
    table: faultsOfTable(files, rooms),
  };
}

/** One line each: the files of a room, and the rooms that they import. */
function tree(graphs, { rooms }) {
  const files = graphs.flatMap((graph) => graph.files).sort();
  const arrows = graphs.flatMap((graph) => graph.arrows);
  return rooms.map((room) => {
    const own = files.filter((file) => roomOf(file, rooms) === room);
    const targets = arrows.filter(({ from }) => own.includes(from)).map(({ to }) => roomOf(to, rooms));
    const imported = rooms.filter((it) => it !== room && targets.includes(it)).map((it) => it.room);
    return { room: room.room, files: own, imports: imported };
  });
}

module.exports = { judge, roomOf, tree };
