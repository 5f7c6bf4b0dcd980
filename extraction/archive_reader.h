// Archives and compressed files of anything that is read here. Internal to extraction/.
#ifndef DATELINE_EXTRACTION_ARCHIVE_READER_H_
#define DATELINE_EXTRACTION_ARCHIVE_READER_H_

#include <memory>

#include "extraction/source_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {

// Reads the files within one after another as they are unpacked, each as a source of its own; nothing is written to
// disk. Files whose names say that they hold no articles are passed over. A damaged file is one error at its name, and
// those after it are read where the archive says where they begin; the error says so where nothing after it can be
// read, as in an archive that ends early; so does a tar without the blocks that mark its end. An archive that follows
// the end of another, as `cat` leaves them, is read on. A file whose name can't be read is an error. Bounded by
// kFreeUnpackedBytes and kUnpackedBytesPerByte for all of it, and by kMaxArchiveDepth.
std::unique_ptr<SourceReader> MakeArchiveReader(Input input, const SourceOptions& options);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_ARCHIVE_READER_H_
