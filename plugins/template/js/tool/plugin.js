// @ts-check
import { kvGetText, kvSet } from 'px';

/**
 * What px knows of the plugin before it runs. `egress` is asked for: whoever installs the plugin agrees, or not.
 * @type {import('px').Manifest}
 */
export const manifest = {
  name: 'my-plugin',
  version: '0.1.0',
  description: 'Greets people, and asks GitHub for wisdom.',
  egress: ['GET https://api.github.com/zen'],
};

/**
 * What the model may call. It reads `description` and `parameters`; what `run` throws it is told as well.
 * @type {import('px').Tool[]}
 */
export const tools = [
  {
    name: 'greet',
    description: 'Greets somebody by name, and counts how often.',
    parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    run: ({ name }) => greet(name),
  },
  {
    name: 'zen',
    description: "One of GitHub's sentences on design.",
    parameters: { type: 'object', properties: {} },
    run: zen,
  },
];

/** @param {string} name */
function greet(name) {
  // The plugin's own store: encrypted on disk, read by nobody else.
  const count = Number(kvGetText(`count:${name}`) ?? 0) + 1;
  kvSet(`count:${name}`, `${count}`);
  console.log(`greeted ${name}`);
  return `Hello, ${name}! Greeting number ${count}.`;
}

async function zen() {
  const answer = await fetch('https://api.github.com/zen');
  if (!answer.ok) throw new Error(`GitHub answered ${answer.status}`);
  return answer.text();
}
