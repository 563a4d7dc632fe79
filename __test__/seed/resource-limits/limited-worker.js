// The seed shows no script for this one: it takes memory until there is none left.
const hoard = [];
for (let id = 0; ; id++) hoard.push({ id, tags: [id, id + 1, id + 2] });
