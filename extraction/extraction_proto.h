// Extracted articles as messages of the contract, for the classifier service and the command alike.
#ifndef DATELINE_EXTRACTION_EXTRACTION_PROTO_H_
#define DATELINE_EXTRACTION_EXTRACTION_PROTO_H_

#include "dateline/article/v1/article.pb.h"
#include "extraction/extraction.h"

namespace dateline::extraction {

// The caller's fields and the headings. Labels and everything that is the service's stay unset.
article::v1::Article ToProto(const Article& article);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_EXTRACTION_PROTO_H_
