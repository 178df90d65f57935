import { afterAll, beforeAll, describe } from 'bun:test';
import { contract } from './contract.ts';
import { openMatrix } from './matrix.ts';
import { type Account, noSynapse, type Synapse, startSynapse } from './synapse.ts';

/** One Synapse for all of it: its start takes longer than most. */
describe.skipIf(noSynapse !== undefined)('Matrix, on a Synapse', () => {
  let synapse: Synapse;
  let ada: Account;
  let bot: Account;

  beforeAll(async () => {
    synapse = await startSynapse();
    [ada, bot] = [await synapse.register('ada', 'Ada L'), await synapse.register('px', 'px')];
  }, 90_000);
  afterAll(() => synapse?.[Symbol.asyncDispose]());

  contract('matrix', () => openMatrix(synapse, bot, ada));
});
