// The world of clock.wit in AssemblyScript, against the canonical ABI by hand: no runtime, no allocation, 2 KB.
// Strings are UTF-16 (the component says so), which is what AssemblyScript has.

@external("project-x:core/host-api@0.1.0", "now")
declare function hostNow(): i64;
@external("project-x:core/host-api@0.1.0", "config-get")
declare function configGet(key: usize, length: i32, into: usize): void;

const days: StaticArray<string> = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const months: StaticArray<string> = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];
const setting = "offset_minutes";

/** What `config-get` writes: option<string> as tag, pointer, length. */
const answer = memory.data(12, 4);
/** The only memory the host ever asks for: the text of one setting. */
const scratch = memory.data(256, 8);
const isoText = memory.data(64, 2);
const longText = memory.data(128, 2);
/** The record `reading`: text, iso, weekday (pointer and length each), unix. */
const reading = memory.data(32, 8);

let pen: usize = 0;

function put(unit: i32): void {
  store<u16>(pen, unit);
  pen += 2;
}
function text(s: string): void {
  for (let i = 0; i < s.length; i++) put(s.charCodeAt(i));
}
/** A number with at least `width` digits. */
function digits(value: i32, width: i32): void {
  let unit = 1;
  for (let w = 1; w < width || unit * 10 <= value; w++) unit *= 10;
  for (; unit > 0; unit /= 10) put(48 + ((value / unit) % 10));
}

/** The setting `offset_minutes`, or 0: JSON text, so digits with a sign. */
function settingOffset(): i32 {
  configGet(changetype<usize>(setting), setting.length, answer);
  if (load<u8>(answer) == 0) return 0;
  const at = load<usize>(answer, 4);
  const length = min(load<i32>(answer, 8), 8);
  let value = 0;
  let sign = 1;
  for (let i = 0; i < length; i++) {
    const unit: i32 = load<u16>(at + 2 * i);
    if (unit == 45) sign = -1;
    else if (unit >= 48 && unit <= 57) value = value * 10 + unit - 48;
  }
  return value * sign;
}

export function now(given: i32, offset: i32): usize {
  const minutes = max(-1440, min(1440, given ? offset : settingOffset()));
  const unix: i64 = hostNow() / 1000;
  const local: i64 = max<i64>(0, unix + minutes * 60);
  const day = i32(local / 86400);
  const second = i32(local % 86400);
  const weekday = unchecked(days[(day + 3) % 7]);

  // Civil date from days since 1970 (eras of 400 years that begin in March).
  const z = day + 719468;
  const era = z / 146097;
  const doe = z - era * 146097;
  const yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const mp = (5 * doy + 2) / 153;
  const date = doy - (153 * mp + 2) / 5 + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);

  pen = isoText;
  digits(year, 4);
  put(45);
  digits(month, 2);
  put(45);
  digits(date, 2);
  put(84);
  digits(second / 3600, 2);
  put(58);
  digits((second / 60) % 60, 2);
  put(58);
  digits(second % 60, 2);
  if (minutes == 0) put(90);
  else {
    put(minutes < 0 ? 45 : 43);
    digits(abs(minutes) / 60, 2);
    put(58);
    digits(abs(minutes) % 60, 2);
  }
  const isoEnd = pen;

  pen = longText;
  text(weekday);
  text(", ");
  digits(date, 1);
  put(32);
  text(unchecked(months[month - 1]));
  put(32);
  digits(year, 4);
  text(", ");
  digits(second / 3600, 2);
  put(58);
  digits((second / 60) % 60, 2);

  store<usize>(reading, longText);
  store<usize>(reading, (pen - longText) >> 1, 4);
  store<usize>(reading, isoText, 8);
  store<usize>(reading, (isoEnd - isoText) >> 1, 12);
  store<usize>(reading, changetype<usize>(weekday), 16);
  store<i32>(reading, weekday.length, 20);
  store<i64>(reading, unix, 24);
  return reading;
}

/** The host's way to hand memory over. A setting longer than the scratch traps. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size > 256) unreachable();
  return scratch;
}
