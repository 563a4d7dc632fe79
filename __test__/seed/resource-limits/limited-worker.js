// The seed shows no script for this one: it takes memory until there is none left.
const hoard = [];
for (;;) hoard.push(new Array(1000).fill(hoard.length));
