// Edits as the page holds them and as the link and the server spell them. No elements here.

const EDIT_REACH = 2; // doses that a slider goes either way

/** "glasses,none,sunglasses,mean,,,1" and its like, joined by ";", to [{factor, before, after, method, keep, how, amount, absolute}]. */
function editsFrom(text) {
  return (text ?? "").split(";").filter(Boolean).map((one) => {
    const [factor, before, after, method, keep, how, amount] = one.split(",");
    const absolute = (amount ?? "").startsWith("@");
    return { factor, before, after, method, keep: (keep ?? "").split("+").filter(Boolean), how: how ?? "", amount: +(amount ?? "1").replace("@", "") || 0, absolute };
  });
}

const amountText = (amount) => String(+(+amount).toFixed(3));
const editText = (edit) =>
  [edit.factor, edit.before, edit.after, edit.method, edit.keep.join("+"), edit.how, (edit.absolute ? "@" : "") + amountText(edit.amount)].join(",");
const editsText = (edits) => edits.map(editText).join(";");

/** The same direction at one dose: what answers about an edit depend on. */
const bareEdit = (edit) => ({ ...edit, amount: 1, absolute: false });
const isOwn = (edit) => edit.factor === "own";
const namesOf = (side) => side.split("+").filter(Boolean);

/** An edit in words. */
function editWords(edit) {
  if (isOwn(edit)) return `own: ${namesOf(edit.after).length} with, ${namesOf(edit.before).length} without`;
  return `${edit.factor}: ${edit.before === "rest" ? "any" : edit.before} → ${edit.after}`;
}

const keptWords = (edit) => (edit.keep.length ? `${listWords(edit.keep)} kept (${{ span: "subtracted", white: "whitened", alike: "alike" }[edit.how]})` : "");
const listWords = (names) => (names.length < 2 ? names.join("") : names.slice(0, -1).join(", ") + " and " + names.at(-1));
const percentText = (share) => (share === null || share === undefined ? "–" : Math.round(100 * share) + " %");
const doseText = (dose) => (dose > 0 ? "+" : "") + fixedText(dose, 2);

/** "random:3047*1,gallery:2*-1" and back. */
const termsText = (terms) => terms.map(({ picture, weight }) => `${picture}*${amountText(weight)}`).join(",");
const termsFrom = (text) =>
  (text ?? "").split(",").filter(Boolean).map((one) => {
    const [picture, weight] = one.split("*");
    return { picture, weight: Number.isFinite(+weight) ? +weight : 1 };
  });

/** What one picture of a model is called. */
const nounOf = (model) => ({ avatars: "face", digits: "digit", fashion_mnist: "garment" })[model.data] ?? "picture";

/** The bytes of one or more square pictures in base64 as ImageData. */
function picturesFrom(text, size) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const each = size * size * 3;
  return Array.from({ length: bytes.length / each }, (_, k) => {
    const image = new ImageData(size, size);
    for (let i = 0, at = k * each; i < size * size; i++, at += 3) {
      image.data.set([bytes[at], bytes[at + 1], bytes[at + 2], 255], 4 * i);
    }
    return image;
  });
}

function paintImage(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
