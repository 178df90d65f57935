import approvals from '../../../docs/approvals.md' with { type: 'text' };
import bench from '../../../docs/bench.md' with { type: 'text' };
import benchCli from '../../../docs/bench-cli.md' with { type: 'text' };
import benchModels from '../../../docs/bench-models.md' with { type: 'text' };
import benchPlugins from '../../../docs/bench-plugins.md' with { type: 'text' };
import dependencies from '../../../docs/dependencies.md' with { type: 'text' };
import gateway from '../../../docs/gateway.md' with { type: 'text' };
import journal from '../../../docs/journal.md' with { type: 'text' };
import languages from '../../../docs/languages.md' with { type: 'text' };
import mcp from '../../../docs/mcp.md' with { type: 'text' };
import messaging from '../../../docs/messaging.md' with { type: 'text' };
import models from '../../../docs/models.md' with { type: 'text' };
import plugins from '../../../docs/plugins.md' with { type: 'text' };
import quickstart from '../../../docs/quickstart.md' with { type: 'text' };
import cli from '../../../docs/reference/cli.md' with { type: 'text' };
import config from '../../../docs/reference/config.md' with { type: 'text' };
import errors from '../../../docs/reference/errors.md' with { type: 'text' };
import wit from '../../../docs/reference/wit.md' with { type: 'text' };
import search from '../../../docs/search.md' with { type: 'text' };
import security from '../../../docs/security.md' with { type: 'text' };
import service from '../../../docs/service.md' with { type: 'text' };
import writePlugin from '../../../docs/write-a-plugin.md' with { type: 'text' };
import writing from '../../../plugins/README.md' with { type: 'text' };

/** A page of the documentation. */
export interface Doc {
  /** Its address below `/docs/`. */
  slug: string;
  /** Where the text stands, from the root of the repository. */
  path: string;
  text: string;
  /** Where its own title would mislead. */
  title?: string;
}

const doc = (slug: string, text: string): Doc => ({ slug, text, path: `docs/${slug}.md` });

/** The documentation px carries, in the order in which one reads it. */
export const docs: [title: string, docs: Doc[]][] = [
  ['Begin', [doc('quickstart', quickstart), doc('write-a-plugin', writePlugin)]],
  [
    'Understand',
    [
      doc('security', security),
      doc('approvals', approvals),
      doc('plugins', plugins),
      { slug: 'plugins-folder', text: writing, path: 'plugins/README.md', title: 'What plugins there are' },
      doc('messaging', messaging),
      doc('models', models),
      doc('search', search),
      doc('journal', journal),
      doc('mcp', mcp),
      doc('gateway', gateway),
      doc('service', service),
    ],
  ],
  [
    'Look up',
    [
      doc('reference/config', config),
      doc('reference/cli', cli),
      doc('reference/wit', wit),
      doc('reference/errors', errors),
    ],
  ],
  [
    'Measured',
    [
      doc('bench', bench),
      doc('bench-models', benchModels),
      doc('bench-plugins', benchPlugins),
      doc('bench-cli', benchCli),
      doc('languages', languages),
      doc('dependencies', dependencies),
    ],
  ],
];
