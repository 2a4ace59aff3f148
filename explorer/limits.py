"""How much of the host one visitor and all together may use. Numbers with their reasons; knows nothing else."""

# --- Requests to the binary routes ---

WORKERS = 16  # handled at once by all: enough for good batches, and a short way from the line to the model
IN_FLIGHT = 6  # handled at once for one visitor: all that a browser opens to one host
WAITING = 48  # a visitor's further requests that wait their turn; a page never has so many, a runaway script has
LINE = 2000  # requests that wait in all: a hundred visitors' pages; beyond it, the host is better off refusing
NUMBER_CHARS = 32  # one number in a query; the longest float32 in full is 24
QUERY_CHARS = 16_000  # four codes of 64 numbers have half of it

# --- Live runs ---

SEATS = 128  # visitors with runs in memory: a large class; four runs of usual nets are about 10 MB
AWAY_SECONDS = 60  # a page that has shown nothing for so long may lose its seat to someone who waits
IDLE_SECONDS = 900  # and loses it in any case after a coffee break; it opens again with its settings
FRAME_SHARE = 0.5  # of one core, for pictures of all live runs together: more viewers, fewer pictures each
ROOMS = 64  # class rooms at once

# --- VAEs that are trained on the page ---

TRAININGS = 2  # at once, a thread each; they give way to whoever only looks
TRAINING_SECONDS = 60  # of one stretch, so that a line moves; it may be continued at the line's end
TRAINING_UPLOADS = 8  # ZIPs that are read or wait for it: 160 MB

# --- Uploads ---

UPLOAD_BYTES = 20_000_000  # the largest phone photographs have about 15 MB
UPLOAD_SECONDS = 60  # 20 MB at 3 Mbit/s; a phone that is slower sends smaller photographs
UPLOADS = 8  # received at once, so that they hold 160 MB at most
UPLOADS_EACH = 2  # received at once from one visitor: slot A and slot B
COLLECTION_UPLOADS = 200  # pictures that a visitor may search for as long as the page is open
UPLOADED_BYTES = 1_000_000_000  # of all visitors' pictures of that kind, kept at 1024 pixels: some 6,000
MEGAPIXELS = 50  # decoded whole, as PNG, WebP and the like must be: 200 MB with alpha
JPEG_MEGAPIXELS = 170  # a JPEG is decoded at a fraction of its size; Pillow itself refuses from 179 on
DECODING_MEGAPIXELS = 100  # in all threads together: 400 MB at four bytes a pixel
PIXELS_ACROSS = 30_000  # longest side; formats end at 65,535 and so do the row buffers of their decoders

# --- Exports ---

EXPORT_FRAMES = 256  # a film as a file: 16 s, about 10 MB as a GIF
EXPORT_SIZE = 768  # its longest side in pixels; more shows nothing new in a 64-pixel picture
