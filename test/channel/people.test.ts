import { afterEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPeople } from '../../src/channel/channel.ts';
import { openPairing } from '../../src/channel/pairing.ts';
import { homeAt } from '../../src/config/config.ts';
import { openSecrets } from '../../src/secret/secret.ts';
import { openStore } from '../../src/store/store.ts';
import { cleanUp, inbound, tempFolder } from './world.ts';

afterEach(cleanUp);

/** A home whose database can be lost. */
function world() {
  const home = homeAt(tempFolder());
  mkdirSync(home.memory);
  const file = join(home.memory, 'people.md');
  const trouble: string[] = [];
  const open = () => {
    const store = openStore(join(home.state, 'px.db'));
    const env = { home: undefined, userHome: home.root, get: () => undefined };
    const people = openPeople(home.memory, openSecrets(store, home, env));
    const book = openPairing(store, Date.now, people, (what) => trouble.push(what));
    const pair = (id: string) => {
      const one = inbound('chat', '1');
      book.approve(book.request({ ...one, chat: id, sender: { id, name: `Name --> | ${id}` } }) ?? '', 'guest');
      book.listPeople();
    };
    return { store, book, pair };
  };
  const lose = () => {
    for (const end of ['', '-wal', '-shm']) rmSync(join(home.state, `px.db${end}`), { force: true });
  };
  return { open, lose, file, trouble };
}

describe('paired people', () => {
  test('come back after the database is lost, those who were sent away and strangers do not', () => {
    const { open, lose, file, trouble } = world();
    const first = open();
    for (const id of ['ada', 'eve', 'bob']) first.pair(id);
    first.book.request({ ...inbound('chat', '9'), sender: { id: 'stranger', name: 'S' } });
    first.book.revoke('chat', 'eve');
    const before = first.book.list().filter((one) => one.state === 'approved');
    first.store.close();
    lose();
    const second = open();
    expect(second.book.list()).toEqual(before);
    expect(second.book.approved('chat', 'ada')).toBe(true);
    expect(second.book.approved('chat', 'eve')).toBe(false);
    expect(readFileSync(file, 'utf8')).toContain('| Name --\\> \\| ada | chat | ada | guest |');
    expect(trouble).toEqual([]);
    second.store.close();
  });

  test('a page that somebody edited, or of another home, lets nobody in', () => {
    const { open, lose, file, trouble } = world();
    const first = open();
    first.pair('ada');
    first.store.close();
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"ada"', '"mallory"'));
    lose();
    const second = open();
    expect(second.book.list()).toEqual([]);
    expect(second.book.restore()).toBe(0);
    expect(trouble[0]).toContain('not written by this px');
    second.store.close();
    const other = world();
    const theirs = other.open();
    theirs.pair('mallory');
    theirs.store.close();
    writeFileSync(file, readFileSync(other.file));
    lose();
    const third = open();
    expect(third.book.list()).toEqual([]);
    third.store.close();
  });

  test('an edited page is put right at the next start, and the database counts', () => {
    const { open, file } = world();
    const first = open();
    first.pair('ada');
    const good = readFileSync(file, 'utf8');
    first.store.close();
    writeFileSync(file, '# nobody\n');
    const second = open();
    expect(second.book.approved('chat', 'ada')).toBe(true);
    expect(readFileSync(file, 'utf8').split('\n').slice(0, -2)).toEqual(good.split('\n').slice(0, -2));
    second.store.close();
  });
});
