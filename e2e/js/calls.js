// What the tests call of the official client, written down while they run: the page docs/compatibility.md is made from it.
//
// A method that a test calls is noted with how it ended. What methods call of each other is not noted.

import { AsyncLocalStorage } from 'node:async_hooks';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import stream from 'getstream';

const folder = process.env.MILLPOND_E2E_CALLS;
const test = path.basename(process.argv[1]);
const inside = new AsyncLocalStorage();
const noted = new Set();

const note = (method, outcome) => noted.add(['javascript', method, outcome, test].join('\t'));

const settled = (method, answer) =>
  answer.then(
    () => note(method, 'answered'),
    (error) => note(method, error?.response ? `refused ${error.response.status}` : 'failed'),
  );

/** `method`, noted as `name` when a test calls it. */
const watched = (name, method) =>
  function (...parameters) {
    if (inside.getStore()) return method.apply(this, parameters);
    const answer = inside.run(name, () => method.apply(this, parameters));
    if (typeof answer?.then === 'function') settled(name, answer);
    else note(name, 'answered');
    return answer;
  };

/** Watches the methods of `holder`: those of its own, or of its prototype. */
const watch = (name, holder) => {
  for (const member of Object.getOwnPropertyNames(holder)) {
    if (member === 'constructor' || member.startsWith('_') || typeof holder[member] !== 'function') continue;
    note(`${name}.${member}`, 'exists');
    holder[member] = watched(`${name}.${member}`, holder[member]);
  }
};

const classes = {
  client: stream.StreamClient,
  feed: stream.StreamFeed,
  reactions: stream.StreamReaction,
  collections: stream.Collections,
  entry: stream.CollectionEntry,
  user: stream.StreamUser,
  files: stream.StreamFileStore,
  images: stream.StreamImageStore,
  auditLogs: stream.StreamAuditLogs,
  personalization: stream.Personalization,
};

if (folder) {
  for (const [name, { prototype }] of Object.entries(classes)) watch(name, prototype);
  process.on('exit', () => appendFileSync(path.join(folder, `javascript-${process.pid}`), [...noted, ''].join('\n')));
}

/** Connects as the client does. Some of its methods are each client's own. */
export const connect = (...parameters) => {
  const client = stream.connect(...parameters);
  if (folder) watch('client', client);
  return client;
};
