{# What came in, was used, and may not mean what it was taken for. #}
with
    orders as (select * from {{ ref("int_orders__dated") }} where not is_after_as_of),

    unknown_words as (
        select
            'unknown status' as warning,
            'orders' as feed,
            source,
            status as detail,
            count(*) as row_count,
            'counted as sales; map the word to a known one under `columns: status` in the YAML'
            as remedy
        from orders
        where not is_status_known
        group by source, status
    ),

    final as (
        select
            {{ made_key(["warning", "feed", "source", "detail"]) }} as warning_key,
            warning,
            feed,
            source,
            detail,
            row_count,
            remedy
        from unknown_words
    )

select *
from final
