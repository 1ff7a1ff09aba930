//! A table as a Parquet file: typed columns for DuckDB, Spark and their kin.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::tables::{Column, Kind, Row, Table, Value};
use crate::model::Report;

/// Rows held at a time while their columns are written.
const GROUP: usize = 65_536;

/// Writes one table of a report. Every column is optional: what the report does not know is null. Times are
/// microseconds in UTC.
pub fn write(out: &mut (dyn Write + Send), report: &Report, table: Table) -> io::Result<()> {
    let schema = Arc::new(schema(table).map_err(failed)?);
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(out, schema, properties).map_err(failed)?;
    let rows: Vec<Row<'_>> = table.rows(report).collect();
    for rows in rows.chunks(GROUP) {
        group(&mut file, table, rows).map_err(failed)?;
    }
    file.close().map_err(failed)?;
    Ok(())
}

/// What went wrong with the output is told as such.
fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast() {
            Ok(output) => *output,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(error),
    }
}

fn schema(table: Table) -> Result<Type, ParquetError> {
    let fields = table.columns().iter().map(|column| field(column).map(Arc::new));
    Type::group_type_builder("bitsleuth").with_fields(fields.collect::<Result<_, _>>()?).build()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Integer => (Physical::INT64, None),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Kind::Flag => (Physical::BOOLEAN, None),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

fn group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    table: Table,
    rows: &[Row<'_>],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for column in table.columns() {
        let cells = || rows.iter().map(|row| column.of(row));
        match column.kind {
            Kind::Text => put::<ByteArrayType, _>(
                &mut group,
                cells().map(|cell| match cell? {
                    Value::Text(text) => Some(ByteArray::from(text.into_bytes())),
                    _ => None,
                }),
            ),
            Kind::Integer => put::<Int64Type, _>(
                &mut group,
                cells().map(|cell| match cell? {
                    // Offsets beyond 2^63 are nonsense of the wire; the largest number says so as well.
                    Value::Integer(number) => Some(i64::try_from(number).unwrap_or(i64::MAX)),
                    _ => None,
                }),
            ),
            Kind::Number => put::<DoubleType, _>(
                &mut group,
                cells().map(|cell| match cell? {
                    Value::Number(number) => Some(number),
                    _ => None,
                }),
            ),
            Kind::Time => put::<Int64Type, _>(
                &mut group,
                cells().map(|cell| match cell? {
                    Value::Time(time) => Some(time.nanos().div_euclid(1000)),
                    _ => None,
                }),
            ),
            Kind::Flag => put::<BoolType, _>(
                &mut group,
                cells().map(|cell| match cell? {
                    Value::Flag(flag) => Some(flag),
                    _ => None,
                }),
            ),
        }?;
    }
    group.close()?;
    Ok(())
}

/// Writes the next column: the values that are there, and for each row whether one is.
fn put<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let mut values = Vec::new();
    let levels: Vec<i16> = cells
        .map(|cell| {
            let there = i16::from(cell.is_some());
            values.extend(cell);
            there
        })
        .collect();
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}
