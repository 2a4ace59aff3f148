// The visitor's webcam: a live picture, shots of it, and an end when nobody looks.

/** {node, start(), stop(), shot() -> Promise<Blob>, on}; `trouble(sentence)` hears why there is no picture. */
function cameraOf(trouble) {
  const video = piece("video", { class: "camera", playsinline: true, "aria-label": "Your webcam" });
  video.muted = true;
  let stream = null;
  let wanted = false;

  async function start() {
    wanted = true;
    if (stream) return true;
    if (!navigator.mediaDevices?.getUserMedia) {
      trouble("This browser gives a webcam only to pages that come by https or from this computer.");
      return false;
    }
    try {
      const opened = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, facingMode: "user" },
        audio: false,
      });
      if (!wanted) return (opened.getTracks().forEach((track) => track.stop()), false);
      stream = opened;
      video.srcObject = stream;
      await video.play();
      trouble("");
      return true;
    } catch (error) {
      trouble(
        error.name === "NotAllowedError"
          ? "The webcam was not allowed; allow it beside the page's address and try again."
          : error.name === "NotFoundError"
            ? "No webcam was found."
            : "The webcam does not start; another program may be using it.",
      );
      stop();
      return false;
    }
  }

  function stop() {
    wanted = false;
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
  }

  /** The middle square of what is seen, as it is seen. */
  function shot(side = 320) {
    const size = Math.min(video.videoWidth, video.videoHeight);
    if (!size) return Promise.resolve(null);
    const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
    canvas
      .getContext("2d")
      .drawImage(video, (video.videoWidth - size) / 2, (video.videoHeight - size) / 2, size, size, 0, 0, size, size);
    return shotOf(canvas, side);
  }

  document.addEventListener("visibilitychange", () => document.hidden && stop());
  window.addEventListener("explorer:tab", stop);
  return {
    node: video,
    start,
    stop,
    shot,
    get on() {
      return Boolean(stream);
    },
  };
}
