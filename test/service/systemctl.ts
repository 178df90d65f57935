import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Stands for systemd where none runs: a `systemctl` that keeps what it was told, and starts and stops the very command of the unit. It waits
 * for `state/gateway.json` instead of `READY=1`. With it a `loginctl` that never lingers and a `journalctl` that repeats its arguments.
 */
const systemctl = `#!/bin/bash
here="$(dirname "$0")"
echo "$*" >>"$here/calls"
[ "$1" = --user ] && shift
unit="$XDG_CONFIG_HOME/systemd/user/$2"
alive() { [ -s "$here/pid" ] && kill -0 "$(cat "$here/pid")" 2>/dev/null; }
start() {
  command="$(sed -n 's/^ExecStart=//p' "$unit")"
  eval "words=($command)"
  "\${words[@]}" >>"$here/log" 2>&1 </dev/null &
  echo $! >"$here/pid"
  for _ in $(seq 200); do
    [ -s "\${words[2]}/state/gateway.json" ] && return 0
    alive || return 1
    sleep 0.05
  done
}
stop() {
  alive || return 0
  kill -TERM "$(cat "$here/pid")"
  while alive; do sleep 0.05; done
}
case "$1" in
  show)
    if [ "$2" = --property=Version ]; then
      [ -e "$here/no-bus" ] && { echo 'Failed to connect to bus: No medium found' >&2; exit 1; }
      echo Version=252; exit 0
    fi
    if alive; then echo ActiveState=active; echo SubState=running; echo "MainPID=$(cat "$here/pid")"
    else echo ActiveState=inactive; echo SubState=dead; echo MainPID=0; fi
    [ -e "$here/enabled" ] && echo UnitFileState=enabled || echo UnitFileState=disabled
    echo NRestarts=0; echo Result=success ;;
  enable) touch "$here/enabled" ;;
  disable) rm -f "$here/enabled" ;;
  start) alive || start ;;
  stop) stop ;;
  restart) stop; start ;;
esac
`;

/** A folder for PATH with the programs of a systemd that is not there. */
export class FakeSystemd implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'px-systemd-'));
  /** Where user units go. */
  readonly config = join(this.folder, 'config');

  constructor() {
    mkdirSync(this.config);
    for (const [name, text] of [
      ['systemctl', systemctl],
      ['loginctl', '#!/bin/sh\necho no\n'],
      ['journalctl', '#!/bin/sh\necho "$@"\n'],
    ] as const) {
      writeFileSync(join(this.folder, name), text);
      chmodSync(join(this.folder, name), 0o755);
    }
  }

  /** What a px that lives with it has in its environment. */
  get env(): Record<string, string> {
    return { PATH: `${this.folder}:${process.env['PATH']}`, XDG_CONFIG_HOME: this.config };
  }

  /** What systemctl was told so far, a line a call; the questions left out. */
  calls(): string[] {
    return this.#read('calls')
      .split('\n')
      .filter((line) => line !== '' && !line.includes('show '));
  }

  unit(name = 'px'): string {
    return readFileSync(join(this.config, 'systemd/user', `${name}.service`), 'utf8');
  }

  /** The process it has started last. */
  get pid(): number {
    return Number(this.#read('pid'));
  }

  /** The session bus of this user is not there. */
  hangUp(): void {
    writeFileSync(join(this.folder, 'no-bus'), '');
  }

  #read(name: string): string {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch {
      return '';
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.pid > 0) process.kill(this.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
