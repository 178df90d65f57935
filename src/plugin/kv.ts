import type { Secrets } from '../secret/secret.ts';
import type { Store } from '../store/store.ts';

/** A plugin's private values. Every error is text for the guest. */
export interface PluginKv {
  /** Keeps a value; {@link PluginKv.durable} tells when it holds against power loss. */
  set(plugin: string, key: string, value: Uint8Array, quota: number): void;
  /** Undefined when the key has none. */
  get(plugin: string, key: string): Uint8Array | undefined;
  delete(plugin: string, key: string): void;
  /** Keys that begin with the prefix, sorted. */
  list(plugin: string, prefix: string): Promise<string[]>;
  /** Forgets everything of a plugin. */
  clear(plugin: string): void;
  /** Resolves when all that was set is on disk. Undefined when it is already. */
  durable(): Promise<void> | undefined;
}

/** A limit of the store, in words for the guest. */
export class KvError extends Error {
  override readonly name = 'KvError';
}

const maxKeyBytes = 512;
/** What a row costs beyond its key and value, about: many tiny ones can neither fill the disk nor make every look slow. */
const rowBytes = 256;
/** Rows opened, about 2 ms of work, before the daemon does other things for as long: a plugin that lists and lists has to wait itself. */
const rowsAtOnce = 128;
const breathMs = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Opens the plugins' key-value table in `px.db`. Values and keys are sealed; a row is found by a keyed hash of its key, so that
 * the file shows neither. What is sealed is bound to its plugin and its row: a row moved elsewhere cannot be opened.
 */
export function openKv(store: Store, secrets: Secrets): PluginKv {
  store.migrate({
    owner: 'plugin-kv',
    steps: [
      `CREATE TABLE plugin_kv_salt (plugin TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
       CREATE TABLE plugin_kv (
         plugin TEXT NOT NULL, id TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, bytes INTEGER NOT NULL,
         PRIMARY KEY (plugin, id)
       );`,
    ],
  });
  const { db } = store;
  const salts = new Map<string, Uint8Array>();
  /** Something was set after the latest sync began. */
  let fresh = false;
  /** The latest sync, until it ends: all that was set before it began is on disk then. */
  let syncing: Promise<void> | undefined;

  const salt = (plugin: string): Uint8Array => {
    const known = salts.get(plugin);
    if (known) return known;
    const row = db
      .query<{ sealed: Uint8Array }, [string]>('SELECT sealed FROM plugin_kv_salt WHERE plugin = ?')
      .get(plugin);
    const made = row ? secrets.unseal(`kv-salt:${plugin}`, row.sealed) : crypto.getRandomValues(new Uint8Array(32));
    if (!row)
      db.query('INSERT INTO plugin_kv_salt (plugin, sealed) VALUES (?, ?)').run(
        plugin,
        secrets.seal(`kv-salt:${plugin}`, made),
      );
    salts.set(plugin, made);
    return made;
  };
  const idOf = (plugin: string, key: string) => new Bun.CryptoHasher('sha256', salt(plugin)).update(key).digest('hex');
  const owner = (part: 'key' | 'value', plugin: string, id: string) => `kv-${part}:${plugin}:${id}`;

  return {
    set(plugin, key, value, quota) {
      const keyBytes = encoder.encode(key);
      if (keyBytes.length === 0 || keyBytes.length > maxKeyBytes)
        throw new KvError(`a key has 1 to ${maxKeyBytes} bytes`);
      const bytes = keyBytes.length + value.length + rowBytes;
      if (bytes > quota + rowBytes) throw new KvError(`quota: ${quota} bytes for all keys and values`);
      fresh = true;
      store.quickly(() => {
        const id = idOf(plugin, key);
        const others =
          db
            .query<{ sum: number | null }, [string, string]>(
              'SELECT sum(bytes) AS sum FROM plugin_kv WHERE plugin = ? AND id <> ?',
            )
            .get(plugin, id)?.sum ?? 0;
        if (others + bytes > quota + rowBytes) throw new KvError(`quota: ${quota} bytes for all keys and values`);
        db.query('INSERT OR REPLACE INTO plugin_kv (plugin, id, key, value, bytes) VALUES (?, ?, ?, ?, ?)').run(
          plugin,
          id,
          secrets.seal(owner('key', plugin, id), keyBytes),
          secrets.seal(owner('value', plugin, id), value),
          bytes,
        );
      });
    },
    get(plugin, key) {
      const id = idOf(plugin, key);
      const row = db
        .query<{ value: Uint8Array }, [string, string]>('SELECT value FROM plugin_kv WHERE plugin = ? AND id = ?')
        .get(plugin, id);
      return row ? secrets.unseal(owner('value', plugin, id), row.value) : undefined;
    },
    delete(plugin, key) {
      db.query('DELETE FROM plugin_kv WHERE plugin = ? AND id = ?').run(plugin, idOf(plugin, key));
    },
    async list(plugin, prefix) {
      const page = db.query<{ id: string; key: Uint8Array }, [string, string, number]>(
        'SELECT id, key FROM plugin_kv WHERE plugin = ? AND id > ? ORDER BY id LIMIT ?',
      );
      const keys: string[] = [];
      for (let last = ''; ; await Bun.sleep(breathMs)) {
        const rows = page.all(plugin, last, rowsAtOnce);
        for (const row of rows) {
          const key = decoder.decode(secrets.unseal(owner('key', plugin, row.id), row.key));
          if (key.startsWith(prefix)) keys.push(key);
        }
        last = rows.at(-1)?.id ?? '';
        if (rows.length < rowsAtOnce) return keys.sort();
      }
    },
    clear(plugin) {
      store.transaction(() => {
        db.query('DELETE FROM plugin_kv WHERE plugin = ?').run(plugin);
        db.query('DELETE FROM plugin_kv_salt WHERE plugin = ?').run(plugin);
      });
      salts.delete(plugin);
    },
    durable() {
      if (!fresh) return syncing;
      fresh = false;
      const mine = store
        .synced()
        .catch((thrown: unknown) => {
          fresh = true;
          throw thrown;
        })
        .finally(() => {
          if (syncing === mine) syncing = undefined;
        });
      syncing = mine;
      return mine;
    },
  };
}
