import type { Environment } from '../config/config.ts';
import type { Look } from '../tui/tui.ts';

/** What this terminal can show, as its environment says. */
export function terminalLook(env: Environment): Look {
  const locale = env.get('LC_ALL') || env.get('LC_CTYPE') || env.get('LANG') || '';
  // As the convention says: set and not empty.
  return { ascii: !/utf-?8/i.test(locale), colour: !env.get('NO_COLOR'), linuxConsole: env.get('TERM') === 'linux' };
}
