'use strict';

/** What `npm publish` in a clone runs first: the clone's package.json does not name the packages with prebuilt addons. */

process.stderr.write(
  'rust-workers: a clone is not published. npm run pack:all makes the packages in target/npm/packages; publish these files, the\n' +
    'platforms first (npm/README.md). A release is published by .github/workflows/release.yml.\n',
);
process.exitCode = 1;
