import { describe } from 'bun:test';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Px } from '../px.ts';
import { contract } from './contract.ts';
import type { Platform } from './platform.ts';

const plugin = resolve(import.meta.dir, '../../../build/plugins/example-rust-echo-channel.wasm');
const missing = existsSync(plugin) ? undefined : `${plugin} is not built: bun scripts/build-plugins.ts --examples`;
const channel = 'example-rust-echo-channel';

/**
 * The example connector in Rust, which is a platform of its own: what is posted to it comes back as a message. A person writes by posting;
 * what px said is seen when it comes back. What is said then would be answered, too: the model takes for ever, so each text has a room of its own.
 */
async function open(): Promise<Platform> {
  let px: Px | undefined;
  const rooms: string[] = [];
  const home = () => {
    if (!px) throw new Error('px is not there yet');
    return px;
  };
  return {
    channel,
    get chat() {
      return rooms.at(-1) ?? '';
    },
    person: 'echo',
    plugin,
    maxText: 4096,
    env: {},
    config: (given) => ({ channels: { [channel]: given }, plugins: {} }),
    attach: (given) => {
      px = given;
    },
    async say(text) {
      const room = `room${rooms.length}`;
      rooms.push(room);
      const posted = await home().run('plugin', 'call', channel, 'post-message', JSON.stringify([room, text]));
      if (posted.code !== 0) throw new Error(posted.stderr);
      return posted.stdout.trim().replaceAll('"', '');
    },
    async seen() {
      const told = rooms.map(async (room) => {
        const history = await home().fetch(`/api/channels/${channel}/${room}/history?limit=20`);
        return ((await history.json()) as { messages: { id: string; sender: string; text: string }[] }).messages;
      });
      // What was said first in a room was said by the person.
      const came = (await Promise.all(told)).flatMap((messages) =>
        messages.filter((m) => m.sender === 'echo').slice(1),
      );
      return came.map(({ id, text }) => ({ id, text, edits: 0 }));
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

describe.skipIf(missing !== undefined)('a connector that knows only the two exports it must have', () => {
  const lacks = {
    between: 'it makes no request',
    reactions: 'it shows no reactions',
    typed: 'it shows nobody typing',
    files: 'it takes no files',
    webhook: 'px asks for its messages',
    streams: 'what is said to it stays as it is',
    apart: 'it is inside px, and one of several messages is seen',
  };
  contract(channel, lacks, open);
});
