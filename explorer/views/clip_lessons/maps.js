// Small square maps over an image's patches: bytes to a canvas. Knows no lesson.

/** Paints side x side values in 0..1 as one picture of side x side pixels, from the panel's colour to `hue`; `clear` as a veil. */
function paintMap(canvas, values, side, ink, hue, clear = false) {
  Object.assign(canvas, { width: side, height: side });
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  const [low, high] = [hexChannels(ink("panel")), hexChannels(ink(hue))];
  for (let i = 0; i < side * side; i++) {
    const t = within(values[i], 0, 1);
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = clear ? high[k] : low[k] + (high[k] - low[k]) * t;
    image.data[4 * i + 3] = clear ? 255 * t * 0.85 : 255;
  }
  context.putImageData(image, 0, 0);
}

/** The bytes of all layers and heads as maps in 0..1 of the class token's attention: at(layer, head) or their mean. */
function attentionMaps({ cls, cls_max: tops, layers, heads, side }) {
  const bytes = bytesFrom64(cls);
  const size = side * side;
  const map = (layer, head) => {
    const from = (layer * heads + head) * size;
    return Float32Array.from(bytes.subarray(from, from + size), (v) => (v / 255) * tops[layer][head]);
  };
  const mean = (maps) => maps[0].map((_, i) => maps.reduce((sum, one) => sum + one[i], 0) / maps.length);
  const every = (count) => Array.from({ length: count }, (_, i) => i);
  return {
    /** Weights (side², sum below 1) of one head, of a layer's mean (head null), or of all (both null). */
    at(layer, head) {
      if (layer === null) return mean(every(layers).flatMap((l) => every(heads).map((h) => map(l, h))));
      return head === null ? mean(every(heads).map((h) => map(layer, h))) : map(layer, head);
    },
  };
}

/** A map stretched to 0..1 by its own largest value. */
const stretched = (values) => {
  const top = Math.max(...values) || 1;
  return values.map((v) => v / top);
};
