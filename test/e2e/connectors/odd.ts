/** Texts that have broken messengers, their servers and their databases before, after the list of naughty strings. */
export const odd: readonly string[] = [
  '**bold _mixed** text_ <b>no tag</b> & `a|b` [x](javascript:1) *un**closed\n```\nno end < >',
  '<script>alert(1)</script><img src=x onerror=alert(1)> &lt;&#x3c;&amp;amp; "quotes\' `ticks`',
  "'; DROP TABLE messages; -- \\x00 %00 %s %n ${7*7} {{secret:MATRIX_TOKEN}} {{secret:TELEGRAM_TOKEN}} {{file:x}}",
  'Ω≈ç√∫ 田中さん ﷽ 𝕿𝖍𝖊 ℞ ｆｕｌｌ １２３ ṰO̷F̶',
  'Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮ combining a\u0301\u0301\u0301\u0301',
  'ثم نفس سقطت وبالتحديد، \u202Egnirts desrever\u202C \u2066isolate\u2069 \u200Bzero\u200Dwidth\uFEFF',
  '👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳🇦🇶 1️⃣ ☠️ ❤️‍🔥',
  'null undefined NaN true [object Object] 1e1000 -0 0x0 1/0',
  '\u0001\u0002\u0007\u001b[31mred\u001b[0m \u0085 \u2028line\u2029paragraph',
  'https://example.com/a_b_c?x=*y*&z=(1)_[2] user@example.com @room #tag !not-a-command ~~~',
  '> quote\n> > deeper\n\n1. one\n   - inner\n2. two\n\n| a | b |\n|---|---|\n| `|` | ** |\n\n---\n- [ ] box',
  `${'['.repeat(200)}${'('.repeat(200)} ${'*'.repeat(99)} ${'`'.repeat(7)} ${'\\'.repeat(9)}`,
];
