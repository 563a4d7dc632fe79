'use strict';

/** Circles of files: groups in which each file imports, over others, each other, with the shortest way round. */

/** Tarjan's strongly connected components that have more than one file. */
function components(files, targetsOf) {
  const numbers = new Map();
  const lowest = new Map();
  const stack = [];
  const onStack = new Set();
  const found = [];

  function visit(file) {
    numbers.set(file, numbers.size);
    lowest.set(file, numbers.get(file));
    stack.push(file);
    onStack.add(file);
    for (const to of targetsOf(file)) {
      if (!numbers.has(to)) {
        visit(to);
        lowest.set(file, Math.min(lowest.get(file), lowest.get(to)));
      } else if (onStack.has(to)) {
        lowest.set(file, Math.min(lowest.get(file), numbers.get(to)));
      }
    }
    if (lowest.get(file) !== numbers.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    for (const it of group) onStack.delete(it);
    if (group.length > 1) found.push(group.sort());
  }

  for (const file of files) if (!numbers.has(file)) visit(file);
  return found;
}

/** The arrows of a shortest way from a file back to itself. */
function wayRound(start, arrowsOf, isShorter) {
  const reached = new Map([[start, []]]);
  for (const [file, way] of reached) {
    if (!isShorter(way.length + 1)) return undefined;
    for (const arrow of arrowsOf(file)) {
      if (arrow.to === start) return [...way, arrow];
      if (!reached.has(arrow.to)) reached.set(arrow.to, [...way, arrow]);
    }
  }
  return undefined;
}

/**
 * @param {{ files: string[], arrows: { from: string, to: string }[] }} graph
 * @returns {{ files: string[], shortest: object[] }[]} the circle with the shortest way round first
 */
function circles({ files, arrows }) {
  const byFile = new Map(files.map((file) => [file, []]));
  for (const arrow of arrows) byFile.get(arrow.from).push(arrow);
  const arrowsOf = (file) => byFile.get(file);
  const groups = components(files, (file) => arrowsOf(file).map(({ to }) => to));
  return groups
    .map((group) => {
      let shortest;
      for (const file of group) {
        shortest = wayRound(file, arrowsOf, (length) => shortest === undefined || length < shortest.length) ?? shortest;
      }
      return { files: group, shortest };
    })
    .sort((a, b) => a.shortest.length - b.shortest.length);
}

module.exports = { circles };
