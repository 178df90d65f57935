import { afterEach, describe, expect, test } from 'bun:test';
import { PxError } from '../../src/error/error.ts';
import type { HeldSocket } from '../../src/plugin/plugin.ts';
import type { Json } from '../../src/wire/wire.ts';
import { cleanUp, guestMessage, live, Platform, tempFolder, until } from './world.ts';

afterEach(cleanUp);

const nothing = { keep: [], cursor: null, wake: null, send: [], heartbeat: null };

/** A platform that speaks over a WebSocket. */
class Gateway extends Platform {
  readonly order: string[] = [];
  opened = 0;
  closes = 0;
  /** What `on-socket` says. */
  onEvent: (event: Json) => Json = () => ({
    ...nothing,
    messages: this.waiting.splice(0),
    ready: true,
    reconnect: false,
  });
  #tell: ((event: Json) => void) | undefined;
  #events: Json[] = [];

  constructor() {
    super();
    this.exports.push('next-socket', 'on-socket');
    this.more['next-socket'] = () => ({ url: 'wss://chat.example/' });
    this.more['on-socket'] = ([event = null]) => {
      this.order.push('told');
      return this.onEvent(event);
    };
    this.onSocket = async (_wanted, signal) => {
      this.opened += 1;
      this.#events = [];
      const { order } = this;
      const gateway = this;
      const socket: HeldSocket = {
        get waiting() {
          return gateway.#events.length > 0;
        },
        next: () =>
          new Promise((resolve) => {
            const first = this.#events.shift();
            if (first !== undefined) return resolve(first);
            this.#tell = resolve;
            signal.addEventListener('abort', () => resolve({ closed: { code: 4000, reason: '' } }));
          }),
        handled: () => void order.push('handled'),
        close: () => {
          this.closes += 1;
        },
      };
      return socket;
    };
  }

  /** Something comes over the socket. */
  event(event: Json): void {
    const tell = this.#tell;
    this.#tell = undefined;
    if (tell) tell(event);
    else this.#events.push(event);
  }
}
const messages: Json = { messages: ['{}'] };
const closed = (code: number, reason = ''): Json => ({ closed: { code, reason } });

describe('a connector whose platform speaks over a WebSocket', () => {
  test('stores what came before the place in the stream moves on, and rests while nothing comes', async () => {
    const gateway = new Gateway();
    const life = await live({ platform: gateway, timing: { restAfter: 0 } });
    await until(() => gateway.rests > 0);
    expect(life.channels.states()[0]?.state).toBe('waiting');
    gateway.waiting = [guestMessage('1', 'hello'), guestMessage('2', 'there')];
    let storedAtMove: number | undefined;
    const { order } = gateway;
    order.push = (...what: string[]) => {
      if (what[0] === 'handled') storedAtMove ??= life.channels.inbox().length;
      return Array.prototype.push.apply(order, what);
    };
    gateway.event(messages);
    await until(() => life.asked.length === 2);
    await until(() => order.includes('handled'));
    expect(storedAtMove).toBe(2);
    expect(order).toEqual(['told', 'handled']);
    expect(life.channels.states()).toEqual([{ id: 'chat', plugin: 'chat', state: 'running', detail: '' }]);
    const calls = gateway.calls.length;
    await Bun.sleep(50);
    expect(gateway.calls.length).toBe(calls);
  });

  test('that loses its connection after it was let in opens another one and stays connected', async () => {
    const gateway = new Gateway();
    const life = await live({ platform: gateway });
    await until(() => gateway.opened === 1);
    gateway.event(messages);
    await until(() => life.channels.states()[0]?.state === 'running');
    gateway.event(closed(1006));
    await until(() => gateway.opened === 2);
    expect(gateway.closes).toBe(1);
    expect(life.channels.states()[0]?.state).toBe('running');
  });

  test('that is not let in says what the platform said, and tries again later and later', async () => {
    const gateway = new Gateway();
    gateway.onEvent = () => ({ ...nothing, messages: [], ready: false, reconnect: false });
    const life = await live({ platform: gateway });
    await until(() => gateway.opened === 1);
    gateway.event(closed(4014, 'Disallowed intents'));
    await until(() => life.channels.states()[0]?.state === 'failing');
    expect(life.channels.states()[0]?.detail).toContain('closed the WebSocket: 4014 Disallowed intents');
    gateway.onEvent = () => {
      throw new PxError('plugin.guest', 'unauthorized: no such bot', { data: 'unauthorized: no such bot' });
    };
    await until(() => gateway.opened === 2);
    gateway.event(closed(4004));
    await until(() => life.channels.states()[0]?.detail.includes('token refused'));
    expect(gateway.closes).toBe(2);
  });

  test('does not begin sessions without end while each is lost at once', async () => {
    const gateway = new Gateway();
    const { onSocket } = gateway;
    gateway.onSocket = async (wanted, signal) => {
      const socket = await onSocket(wanted, signal);
      gateway.event(messages);
      gateway.event(closed(1006));
      return socket;
    };
    await live({ platform: gateway, timing: { socketPause: [20, 60_000] } });
    await until(() => gateway.opened === 4);
    await Bun.sleep(70);
    expect(gateway.opened).toBe(4);
  });

  test('answers a message once when it is told again after a crash', async () => {
    const folder = tempFolder();
    const first = await live({ platform: new Gateway(), folder });
    const gateway = new Gateway();
    gateway.waiting = [guestMessage('1', 'hello')];
    await first.channels.close();
    first.store.close();
    const again = await live({ platform: gateway, folder });
    await until(() => gateway.opened === 1);
    gateway.event(messages);
    await until(() => again.asked.length === 1);
    gateway.waiting = [guestMessage('1', 'hello')];
    gateway.event(messages);
    await until(() => gateway.order.filter((o) => o === 'handled').length === 2);
    expect(again.asked).toEqual(['hello']);
  });

  test('with nothing to hold is polled, and ends at once when px stops', async () => {
    const gateway = new Gateway();
    gateway.more['next-socket'] = () => null;
    gateway.waiting = [guestMessage('1', 'hi')];
    const life = await live({ platform: gateway });
    await until(() => life.asked.length === 1);
    expect(gateway.opened).toBe(0);
    gateway.more['next-socket'] = () => ({});
    await until(() => gateway.opened === 1);
    await life.channels.close();
    expect(gateway.calls.includes('on-socket')).toBe(false);
    expect(gateway.closes).toBe(1);
  });
});
