import { afterEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PxError } from '../../src/error/error.ts';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'px-store-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function open(path = join(folder(), 'state', 'px.db'), options?: StoreOptions): Store {
  const store = openStore(path, options);
  cleanups.push(() => store.close());
  return store;
}

function codeOf(work: () => unknown): { code: string; hint: string | undefined; message: string } {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof PxError) return { code: thrown.code, hint: thrown.hint, message: thrown.message };
    throw thrown;
  }
  return { code: 'nothing thrown', hint: undefined, message: '' };
}

const people = { owner: 'people', steps: ['CREATE TABLE person (name TEXT NOT NULL)'] };
const names = (store: Store) =>
  store.db
    .query<{ name: string }, []>('SELECT name FROM person ORDER BY name')
    .all()
    .map((r) => r.name);
const add = (store: Store, name: string) => store.db.query('INSERT INTO person (name) VALUES (?)').run(name);

describe('opening', () => {
  test('makes the folder and a file only its owner can read, its log too', () => {
    const store = open();
    store.migrate(people);
    add(store, 'ada');
    expect(statSync(store.path).mode & 0o777).toBe(0o600);
    expect(statSync(`${store.path}-wal`).mode & 0o777).toBe(0o600);
  });

  test('takes rights away from a file others could read', () => {
    const path = join(folder(), 'px.db');
    writeFileSync(path, '', { mode: 0o644 });
    open(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('uses WAL, full sync, foreign keys and a small cache', () => {
    const { db } = open();
    const pragma = (name: string) => Object.values(db.query(`PRAGMA ${name}`).get() ?? {})[0];
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(2);
    expect(pragma('foreign_keys')).toBe(1);
    expect(pragma('cache_size')).toBe(-512);
    expect(pragma('mmap_size')).toBe(0);
  });

  test('a cache is synced less', () => {
    const { db } = open(join(folder(), 'index.db'), { cache: true });
    expect(db.query('PRAGMA synchronous').get()).toEqual({ synchronous: 1 });
  });

  test('a file that is no database is reported with what to do, and left alone', () => {
    const path = join(folder(), 'px.db');
    writeFileSync(path, 'this is not a database, but it is long enough to look like one'.repeat(40));
    const { code, hint } = codeOf(() => open(path));
    expect(code).toBe('store.corrupt');
    expect(hint).toContain('move px.db away');
    expect(existsSync(path)).toBe(true);
  });

  test('a damaged page met later is reported as damage too', () => {
    const path = join(folder(), 'px.db');
    const store = openStore(path);
    store.migrate(people);
    store.transaction(() => {
      for (let i = 0; i < 2000; i++) add(store, `person ${i} ${'x'.repeat(50)}`);
    });
    store.close();
    const bytes = Buffer.from(require('node:fs').readFileSync(path));
    bytes.fill(0x5a, 8192, bytes.length);
    writeFileSync(path, bytes);
    const damaged = open(path);
    expect(codeOf(() => damaged.transaction(() => names(damaged))).code).toBe('store.corrupt');
  });

  test('a damaged cache is made anew', () => {
    const path = join(folder(), 'index.db');
    writeFileSync(path, 'garbage '.repeat(1000));
    const store = open(path, { cache: true });
    store.migrate(people);
    expect(names(store)).toEqual([]);
  });

  test('what was written is there after closing and opening; closing twice is harmless', () => {
    const store = open();
    store.migrate(people);
    add(store, 'ada');
    store.close();
    store.close();
    expect(existsSync(`${store.path}-wal`)).toBe(false);
    const again = open(store.path);
    again.migrate(people);
    expect(names(again)).toEqual(['ada']);
  });
});

describe('migrations', () => {
  test('run once each, in order, per owner', () => {
    const store = open();
    store.migrate(people);
    add(store, 'ada');
    store.migrate(people);
    store.migrate({ owner: 'people', steps: [...people.steps, 'ALTER TABLE person ADD COLUMN age INTEGER'] });
    store.migrate({ owner: 'pets', steps: ['CREATE TABLE pet (name TEXT)'] });
    expect(store.db.query('SELECT name, age FROM person').all()).toEqual([{ name: 'ada', age: null }]);
  });

  test('a step may hold several statements, and a failing one leaves nothing behind', () => {
    const store = open();
    const broken = {
      owner: 'x',
      steps: ['CREATE TABLE one (a); CREATE TABLE two (b)', 'CREATE TABLE three (c); oops'],
    };
    expect(() => store.migrate(broken)).toThrow();
    expect(store.db.query("SELECT name FROM sqlite_master WHERE name IN ('one','two','three')").all()).toEqual([]);
    store.migrate({ owner: 'x', steps: ['CREATE TABLE one (a); CREATE TABLE two (b)'] });
    expect(store.db.query('SELECT count(*) AS n FROM two').get()).toEqual({ n: 0 });
  });

  test('a database of a newer px is refused and says so', () => {
    const store = open();
    store.migrate({ owner: 'people', steps: [...people.steps, 'ALTER TABLE person ADD COLUMN age INTEGER'] });
    const { code, message, hint } = codeOf(() => store.migrate(people));
    expect(code).toBe('store.newer');
    expect(message).toContain('people tables have version 2, this px knows 1');
    expect(hint).toContain('newer px');
  });
});

describe('transactions', () => {
  test('keep everything or nothing', () => {
    const store = open();
    store.migrate(people);
    expect(store.transaction(() => add(store, 'ada').changes)).toBe(1);
    expect(() =>
      store.transaction(() => {
        add(store, 'bob');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(names(store)).toEqual(['ada']);
  });

  test('lose nothing when the pages kept in memory are let go of in their middle', () => {
    const store = open();
    store.migrate(people);
    store.transaction(() => {
      add(store, 'ada');
      store.shrink();
      add(store, 'bob');
    });
    store.shrink();
    expect(names(store)).toEqual(['ada', 'bob']);
  });

  test('inside another, a failure undoes only the inner work', () => {
    const store = open();
    store.migrate(people);
    store.transaction(() => {
      add(store, 'outer');
      expect(() =>
        store.transaction(() => {
          add(store, 'inner');
          store.transaction(() => add(store, 'innermost'));
          throw new Error('no');
        }),
      ).toThrow('no');
      store.transaction(() => add(store, 'second'));
    });
    expect(names(store)).toEqual(['outer', 'second']);
  });

  test('work that waits is refused and undone', () => {
    const store = open();
    store.migrate(people);
    const { code } = codeOf(() => store.transaction(async () => add(store, 'ada')));
    expect(code).toBe('internal');
    expect(names(store)).toEqual([]);
  });

  test('a file locked by somebody else is reported as such and may be tried again', () => {
    const path = join(folder(), 'px.db');
    const first = open(path);
    first.migrate(people);
    const second = open(path, { busyMs: 0 });
    first.transaction(() => {
      expect(codeOf(() => second.transaction(() => add(second, 'ada'))).code).toBe('store.locked');
    });
    second.transaction(() => add(second, 'ada'));
    expect(names(first)).toEqual(['ada']);
  });
});
