// What a newsroom's backend in Go does with Dateline.
//
//	newsroom SEARCH_ADDRESS PAGE QUERY
//
// Generate the packages first:
//
//	protoc -I proto --go_out=src --go-grpc_out=src $(find proto -name '*.proto')
package main

import (
	"context"
	"encoding/json"
	"io"
	"io/ioutil"
	"log"
	"os"
	"sort"
	"time"

	articlev1 "dateline/article/v1"
	searchv1 "dateline/search/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// report is what the test reads; the fields are the same as in the Python client.
type report struct {
	Outcome    string          `json:"outcome"`
	ID         string          `json:"id"`
	Title      string          `json:"title"`
	Labels     []string        `json:"labels"`
	Again      string          `json:"again"`
	Total      int32           `json:"total"`
	Hits       []string        `json:"hits"`
	Facet      [][]interface{} `json:"facet"`
	Error      string          `json:"error"`
	NamesField bool            `json:"names_field"`
	Stream     []string        `json:"stream"`
	Durable    int64           `json:"durable"`
}

func target(label *articlev1.Label) string {
	switch t := label.Target.(type) {
	case *articlev1.Label_RegionCode:
		return t.RegionCode
	case *articlev1.Label_GroupId:
		return t.GroupId
	case *articlev1.Label_IssueId:
		return t.IssueId
	}
	return ""
}

// ingestPage hands the page over as it is, and waits until it can be found and carries its tags.
func ingestPage(ctx context.Context, ingest searchv1.IngestServiceClient, path string) (*searchv1.IngestResult, string, error) {
	content, err := ioutil.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	document := &articlev1.RawDocument{Content: content, MediaType: "text/html"}
	response, err := ingest.IngestArticles(ctx, &searchv1.IngestArticlesRequest{
		Items:   []*searchv1.IngestItem{{Input: &searchv1.IngestItem_Document{Document: document}}},
		View:    articlev1.ArticleView_ARTICLE_VIEW_FULL,
		WaitFor: searchv1.CommitStage_COMMIT_STAGE_LABELLED,
	})
	if err != nil {
		return nil, "", err
	}
	return response.Results[0], response.CommitToken, nil
}

// streamArticles sends articles as a job would; it returns the outcomes in the order of the articles and the last
// durable sequence.
func streamArticles(ctx context.Context, ingest searchv1.IngestServiceClient, articles []*articlev1.Article) ([]string, int64, error) {
	stream, err := ingest.StreamIngest(ctx)
	if err != nil {
		return nil, 0, err
	}
	for i, article := range articles {
		sequence := int64(i + 1)
		if err := stream.Send(&searchv1.StreamIngestRequest{
			ClientSequence: &sequence,
			Input:          &searchv1.StreamIngestRequest_Article{Article: article},
		}); err != nil {
			return nil, 0, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, 0, err
	}
	outcomes := make([]string, len(articles))
	var durable int64
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			return outcomes, durable, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if ack := response.GetAck(); ack != nil {
			outcomes[ack.GetClientSequence()-1] = ack.Outcome.String()
		}
		if watermark := response.GetWatermark(); watermark != nil {
			durable = watermark.GetDurableThrough()
		}
	}
}

func run(address, page, query string) (*report, error) {
	// A call without a deadline may wait for ever.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	connection, err := grpc.DialContext(ctx, address, grpc.WithInsecure())
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ingest := searchv1.NewIngestServiceClient(connection)
	search := searchv1.NewSearchServiceClient(connection)

	result, token, err := ingestPage(ctx, ingest, page)
	if err != nil {
		return nil, err
	}
	out := &report{Outcome: result.Outcome.String(), ID: result.Id, Title: result.GetArticle().GetTitle()}
	for _, label := range result.GetArticle().GetLabels() {
		out.Labels = append(out.Labels, target(label))
	}
	sort.Strings(out.Labels)

	again, _, err := ingestPage(ctx, ingest, page)
	if err != nil {
		return nil, err
	}
	out.Again = again.Outcome.String()

	found, err := search.Search(ctx, &searchv1.SearchRequest{
		Query:          query,
		MinCommitToken: token,
		Facets:         []*searchv1.FacetSpec{{Field: "region_code"}},
	})
	if err != nil {
		return nil, err
	}
	out.Total = found.GetTotal().GetValue()
	for _, hit := range found.Hits {
		out.Hits = append(out.Hits, hit.GetArticle().GetId())
	}
	for _, facet := range found.Facets {
		for _, value := range facet.Values {
			out.Facet = append(out.Facet, []interface{}{value.Id, value.GetCount()})
		}
	}

	// A mistake is answered by a typed error, with details that a program can read.
	_, err = search.Search(ctx, &searchv1.SearchRequest{Query: query, PageSize: -1})
	if mistake, ok := status.FromError(err); ok {
		out.Error = mistake.Code().String()
		for _, detail := range mistake.Details() {
			if bad, ok := detail.(*errdetails.BadRequest); ok {
				for _, violation := range bad.FieldViolations {
					out.NamesField = out.NamesField || violation.Field == "page_size"
				}
			}
		}
	}

	out.Stream, out.Durable, err = streamArticles(ctx, ingest, []*articlev1.Article{
		{Id: "go-1", Title: "A note from Oslo", Body: "Norway counts its reindeer again."},
		{Id: "not an id!", Title: "Refused", Body: "The id has blanks in it."},
		{Id: "go-3", Title: "A note from Quito", Body: "Ecuador rations electricity at night."},
	})
	return out, err
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: newsroom SEARCH_ADDRESS PAGE QUERY")
	}
	out, err := run(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}
