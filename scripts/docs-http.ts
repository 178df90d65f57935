import pkg from '../package.json';
import { openApi } from '../src/gateway/openapi.ts';
import { routes } from '../src/gateway/table.ts';

/** docs/reference/openapi.json: the gateway's own description, as `/openapi.json` serves it. */
export function httpReference(): string {
  return `${JSON.stringify(openApi(routes, pkg.version), null, 2)}\n`;
}

if (import.meta.main) await Bun.write('docs/reference/openapi.json', httpReference());
