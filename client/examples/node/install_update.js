// Finds an update by its name, downloads and installs it, prints the history
// and uninstalls it again.
//
//   node install_update.js NAME
//
// Needs an administrator. USHER_ADDRESS is the socket or pipe of the service;
// USHER_PROTO the folder of its .proto files. Ends with 0, or with 1 and the
// service's own error.

'use strict';

const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const WINDOWS = process.platform === 'win32';
const ADDRESS = process.env.USHER_ADDRESS ||
    (WINDOWS ? '\\\\.\\pipe\\Usher' : '/run/usher/usher.sock');
const PROTO = process.env.USHER_PROTO ||
    path.resolve(__dirname, '../../../proto');
const SUCCEEDED = 'OPERATION_RESULT_CODE_SUCCEEDED';

function load() {
  const files = ['session', 'searcher', 'downloader', 'installer', 'job',
                 'history'];
  const definition = loader.loadSync(
      files.map((name) => `usher/v1/${name}.proto`),
      {includeDirs: [PROTO], keepCase: true, enums: String, longs: Number,
       defaults: true, oneofs: true});
  return grpc.loadPackageDefinition(definition).usher.v1;
}

// One connection serves all services. On Windows the same plain target names
// the pipe: gRPC for Node dials whatever net.connect() can.
function connect(v1) {
  const credentials = grpc.credentials.createInsecure();
  const client = (service) =>
      new service(`unix:${ADDRESS}`, credentials);
  return {
    sessions: client(v1.SessionService),
    searchers: client(v1.SearcherService),
    downloaders: client(v1.DownloaderService),
    installers: client(v1.InstallerService),
    jobs: client(v1.JobService),
    history: client(v1.HistoryService),
  };
}

function call(client, method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, (error, response) => {
      if (error) {
        reject(error);
      } else {
        resolve(response);
      }
    });
  });
}

// Waits for a job's end. A stream of events, not a poll.
async function finish(usher, job) {
  for await (const event of usher.jobs.WatchJob({name: job.name})) {
    const progress = event.job.download_progress ||
        event.job.installation_progress;
    if (progress) console.log(`  ${progress.percent_complete} %`);
  }
}

function check(what, result) {
  if (result.result_code !== SUCCEEDED) {
    const first = (result.update_results || [])[0] || {};
    const code = (result.hresult >>> 0).toString(16).padStart(8, '0');
    throw new Error(`${what}: 0x${code} ${first.message || ''}`);
  }
  console.log(`${what}: done`);
}

async function search(usher, session, criteria, name) {
  const searcher = await call(usher.searchers, 'CreateSearcher',
                              {parent: session.name});
  const found = [];
  // `text` keeps updates whose name or title contains the name.
  const stream = usher.searchers.Search(
      {searcher: searcher.name, criteria, text: name});
  for await (const response of stream) {
    if (response.chunk) found.push(...response.chunk.updates);
  }
  return found.filter((update) => update.name === name);
}

async function download(usher, session, updates) {
  const downloader = await call(usher.downloaders, 'CreateDownloader', {
    parent: session.name,
    downloader: {updates},
    update_mask: {paths: ['updates']},
  });
  const job = await call(usher.downloaders, 'BeginDownload',
                         {downloader: downloader.name});
  await finish(usher, job);
  check('download',
        await call(usher.downloaders, 'EndDownload', {job: job.name}));
}

async function change(usher, session, updates, verb) {
  const installer = await call(usher.installers, 'CreateInstaller', {
    parent: session.name,
    installer: {updates},
    update_mask: {paths: ['updates']},
  });
  const job = await call(usher.installers, `Begin${verb}`,
                         {installer: installer.name});
  await finish(usher, job);
  check(verb.toLowerCase(),
        await call(usher.installers, `End${verb}`, {job: job.name}));
}

async function main(name) {
  const usher = connect(load());
  // With the user, client_application_id is the session's key: after a crash
  // the same id finds the same jobs.
  const {session} = await call(usher.sessions, 'OpenSession',
                               {client_application_id: 'node-example'});
  const found = await search(usher, session, 'IsInstalled=0', name);
  if (found.length === 0) throw new Error(`${name}: nothing to install`);
  for (const update of found) console.log(`found ${update.title}`);
  const updates = found.map((update) => update.identity);

  await download(usher, session, updates);
  await change(usher, session, updates, 'Install');
  for await (const response of usher.history.QueryHistory(
                 {start_index: 0, count: 5})) {
    for (const entry of response.entries) {
      console.log(`history: ${entry.title} ${entry.result_code}`);
    }
  }
  await change(usher, session, updates, 'Uninstall');
  await call(usher.sessions, 'CloseSession', {name: session.name});
}

const name = process.argv[2];
if (!name) {
  console.error('usage: node install_update.js NAME');
  process.exitCode = 2;
} else {
  main(name).then(
      () => process.exit(0),
      (error) => {
        console.error(`install_update: ${error.details || error.message}`);
        process.exit(1);
      });
}
