import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { ConfigSchema, type ConfigStore, type Home } from '../../src/config/config.ts';
import { createLog } from '../../src/log/log.ts';
import { type Memory, type MemoryOptions, openMemory } from '../../src/memory/memory.ts';
import { createBus, type PxEvent } from '../../src/wire/wire.ts';

/** A memory in a temporary home that goes away with the scope. */
export interface TestMemory extends AsyncDisposable {
  memory: Memory;
  home: Home;
  events: PxEvent[];
  /** The `memory:` part of px.yaml; a change holds from then on. */
  settings: ConfigStore['current']['memory'];
  /** Closes it and opens it again on the same files. */
  reopen(): Promise<Memory>;
}

/** Opens a memory in a fresh temporary home. */
export async function testMemory(
  settings: { max_file_bytes?: number } = {},
  options: Pick<MemoryOptions, 'watch'> = {},
): Promise<TestMemory> {
  const root = mkdtempSync(join(tmpdir(), 'px-memory-'));
  const home: Home = {
    root,
    config: join(root, 'px.yaml'),
    memory: join(root, 'memory'),
    plugins: join(root, 'plugins'),
    state: join(root, 'state'),
  };
  mkdirSync(home.memory);
  mkdirSync(home.state);
  const config: ConfigStore = {
    home,
    env: { home: undefined, userHome: root, get: () => undefined },
    current: v.parse(ConfigSchema, { memory: settings }),
    onChange: () => () => {},
    problem: '',
    onReject: () => () => {},
    reload: async () => {},
    watch: () => {},
    set: async () => {},
    text: async () => '',
    replace: async () => {},
    close: () => {},
  };
  const bus = createBus();
  const events: PxEvent[] = [];
  bus.on((event) => events.push(event));
  const open = () => openMemory({ home, config, log: createLog({ level: 'error' }), bus, ...options });
  const test: TestMemory = {
    memory: await open(),
    home,
    events,
    settings: config.current.memory,
    async reopen() {
      await test.memory.close();
      test.memory = await open();
      return test.memory;
    },
    async [Symbol.asyncDispose]() {
      await test.memory.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  return test;
}

/** Waits until something holds, at most `ms`. */
export async function until(holds: () => boolean, ms = 5000): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await Bun.sleep(10)) if (holds()) return true;
  return holds();
}
