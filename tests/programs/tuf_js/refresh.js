// The Update Framework's own client for JavaScript on a repository: prints the
// versions that it trusts then, and has downloaded each target named.
//
//   node refresh.js METADATA_URL TARGETS_URL FOLDER TARGET…
//
// FOLDER/root.json is what is trusted to begin with.
'use strict';

const fs = require('fs');
const path = require('path');
const { Updater } = require('tuf-js');

async function main([metadataBaseUrl, targetBaseUrl, folder, ...targets]) {
  const updater = new Updater({
    metadataDir: folder, targetDir: folder, metadataBaseUrl, targetBaseUrl,
  });
  await updater.refresh();
  for (const name of targets) {
    const info = await updater.getTargetInfo(name);
    if (info === undefined) throw new Error(`no target ${name}`);
    await updater.downloadTarget(info, path.join(folder, 'downloaded'));
  }
  const versions = {};
  for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
    const text = fs.readFileSync(path.join(folder, `${role}.json`));
    versions[role] = JSON.parse(text).signed.version;
  }
  console.log(JSON.stringify(versions));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`${error.name}: ${error.message}`);
  process.exit(1);
});
