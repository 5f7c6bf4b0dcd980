// Lucene's BM25 (k1 1.2, b 0.75) with its English analyser on a corpus of tests/quality/relevance.py, in memory.
// Standard input: JSON-free lines, "D\tid\ttext" for documents, then "Q\tid\ttext" for queries. Standard output: "id\tdoc doc ..." of
// the ten best, the query's words as a disjunction.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.util.QueryBuilder;

public final class Baseline {
  public static void main(String[] arguments) throws Exception {
    EnglishAnalyzer analyzer = new EnglishAnalyzer();
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    IndexWriterConfig config = new IndexWriterConfig(analyzer);
    config.setSimilarity(new BM25Similarity(1.2f, 0.75f));
    IndexWriter writer = new IndexWriter(directory, config);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    IndexSearcher searcher = null;
    QueryBuilder builder = new QueryBuilder(analyzer);
    for (String line; (line = in.readLine()) != null; ) {
      String[] parts = line.split("\t", 3);
      if (parts[0].equals("D")) {
        Document document = new Document();
        document.add(new StringField("id", parts[1], Field.Store.YES));
        document.add(new TextField("text", parts[2], Field.Store.NO));
        writer.addDocument(document);
        continue;
      }
      if (searcher == null) {
        writer.close();
        searcher = new IndexSearcher(DirectoryReader.open(directory));
        searcher.setSimilarity(new BM25Similarity(1.2f, 0.75f));
      }
      StringJoiner found = new StringJoiner(" ");
      Query query = builder.createBooleanQuery("text", parts[2]);
      if (query != null) {
        for (ScoreDoc hit : searcher.search(query, 10).scoreDocs) found.add(searcher.doc(hit.doc).get("id"));
      }
      out.println(parts[1] + "\t" + found);
    }
    out.flush();
  }
}
