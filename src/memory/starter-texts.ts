import agents from '../../memory/AGENTS.md' with { type: 'text' };
import memory from '../../memory/MEMORY.md' with { type: 'text' };
import soul from '../../memory/SOUL.md' with { type: 'text' };
import user from '../../memory/USER.md' with { type: 'text' };

/** The files a new memory starts with; their source is `memory/` of this repository. */
export const starterTexts = { 'SOUL.md': soul, 'USER.md': user, 'MEMORY.md': memory, 'AGENTS.md': agents };
