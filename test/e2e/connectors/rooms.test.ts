import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ServerWebSocket } from 'bun';
import { notBuilt, Px, until } from '../px.ts';
import { startModel } from './model.ts';

const name = 'example-rust-socket-channel';
const plugin = resolve(import.meta.dir, `../../../build/plugins/${name}.wasm`);
const missing = existsSync(plugin) ? notBuilt : `${plugin} is not built: bun scripts/build-plugins.ts --examples`;
const token = 'rooms-token-4711-abcdef';

interface Said {
  type: 'said';
  s: number;
  id: string;
  room: string;
  by: string;
  text: string;
}

/** The platform of `plugins/example-rust/socket-channel`: rooms over a WebSocket, and texts posted to it over HTTP. */
class Rooms implements AsyncDisposable {
  readonly said: Said[] = [];
  /** Texts of px, by room. */
  readonly shown: string[] = [];
  /** What a connection asked to go on from. */
  readonly from: unknown[] = [];
  beats = 0;
  /** What came with a token that is not px's. */
  strange = 0;
  #socket: ServerWebSocket<undefined> | undefined;
  readonly #server = Bun.serve<undefined>({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request, server) => {
      if (request.headers.get('authorization') !== `Bearer ${token}`) this.strange += 1;
      if (server.upgrade(request, { data: undefined })) return undefined;
      const { room, text } = (await request.json()) as { room: string; text: string };
      this.shown.push(`${room}: ${text}`);
      return new Response(`shown${this.shown.length}`);
    },
    websocket: {
      open: (socket) => {
        this.#socket = socket;
        socket.send('{"type":"hello","every":2000}');
      },
      message: (socket, raw) => {
        const told = JSON.parse(String(raw)) as { type: string; s?: number | null };
        if (told.type === 'alive') {
          this.beats += 1;
          socket.send('{"type":"alive"}');
        } else {
          this.from.push(told.s);
          for (const one of this.said) if (one.s > (told.s ?? 0)) socket.send(JSON.stringify(one));
        }
      },
    },
  });

  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  say(text: string): void {
    const s = this.said.length + 1;
    const one: Said = { type: 'said', s, id: `m${s}`, room: 'kitchen', by: 'ada', text };
    this.said.push(one);
    this.#socket?.send(JSON.stringify(one));
  }

  /** Something that the connector did not ask to be told. */
  chatter(): void {
    this.#socket?.send('{"type":"joined","who":"bob"}');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

describe.skipIf(missing !== undefined)('a component that a toolchain built, on a WebSocket that px holds', () => {
  test('is woken with what it asked for, rests meanwhile, and after kill -9 goes on where all was stored', async () => {
    await using rooms = new Rooms();
    await using model = startModel((said) => ({ say: `Heard ${said}` }));
    await using px = new Px({
      config: {
        ...model.config,
        channels: { [name]: { access: 'open' } },
        plugins: {
          [name]: {
            settings: { socket: `ws://${rooms.host}/`, url: `http://${rooms.host}/say` },
            grants: {
              egress: [`GET ws://${rooms.host}/`, `POST http://${rooms.host}/say`],
              private_hosts: [rooms.host],
              secrets: {
                ROOMS_TOKEN: [
                  `header:authorization ws://${rooms.host}/`,
                  `header:authorization http://${rooms.host}/say`,
                ],
              },
            },
          },
        },
      },
      env: { ROOMS_TOKEN: token, TEST_KEY: 'sk-test-1234567890' },
    });
    await px.serve();
    expect(await px.run('plugin', 'add', plugin)).toMatchObject({ code: 0 });
    await px.installed();
    const running = async () => /^channel \S+ +running/m.test((await px.run('status')).stdout);
    await until('the channel to run', running);

    await until('rest', () => px.children().length === 0);
    const { beats } = rooms;
    rooms.chatter();
    while (rooms.beats === beats) {
      expect(px.children()).toEqual([]);
      await Bun.sleep(20);
    }

    rooms.say('hello');
    await until('the answer', () => rooms.shown.length === 1);
    await until('px to know it', async () =>
      (await px.run('outbox', 'list')).stdout.includes('Everything has arrived'),
    );
    await px.kill9();
    rooms.say('are you back?');
    await px.serve();
    await until('the next answer', () => rooms.shown.length === 2);
    expect(rooms.shown).toEqual(['kitchen: Heard hello', 'kitchen: Heard are you back?']);
    // First from the beginning; after what was stored when px had been ended.
    expect(rooms.from[0]).toBeNull();
    expect(rooms.from).toContain(1);
    expect(rooms.strange).toBe(0);
    expect(px.log + px.journal()).not.toContain(token);
  }, 120_000);
});
