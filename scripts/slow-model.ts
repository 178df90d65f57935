/** A model on loopback that takes its time: prints the px.yaml of a px that uses it, and serves until it is ended. usage: bun scripts/slow-model.ts MS-A-PIECE */

import { chance } from '../test/e2e/torture/chance.ts';
import { startMockModel } from '../test/e2e/torture/model.ts';

const model = startMockModel({ chance: chance(1), failures: 0, paceMs: Number(process.argv[2] ?? 500) });
console.log(JSON.stringify({ ...model.config, gateway: { port: 0 } }));
