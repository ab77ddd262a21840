{# The user is asked, the payer is billed: customers belong to the account of their payer, else of their household. #}
with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    merges as (select * from {{ ref("int_customers__merges") }}),

    paid as (
        select
            customers.*,
            case
                when
                    coalesce(merges.merged_customer_key, customers.payer_key)
                    <> customers.customer_key
                then coalesce(merges.merged_customer_key, customers.payer_key)
            end as other_payer_key,
            coalesce(merges.customer_id, customers.payer_id) as other_payer_id
        from customers
        left join merges on customers.payer_key = merges.customer_key
    ),

    payers as (
        select distinct other_payer_key as payer_key
        from paid
        where other_payer_key is not null
    ),

    placed as (
        select
            paid.customer_key,
            paid.source,
            paid.currency_code,
            case
                when paid.other_payer_key is not null
                then 'user'
                when payers.payer_key is not null
                then 'payer'
                when paid.household_key is not null
                then 'member'
                else 'self'
            end as account_role,
            paid.other_payer_key,
            paid.other_payer_id,
            paid.household_key,
            paid.household_id,
            paid.customer_id
        from paid
        left join payers on paid.customer_key = payers.payer_key
    ),

    final as (
        select
            customer_key,
            source,
            currency_code,
            account_role,
            case
                when account_role in ('user', 'payer')
                then 'payer'
                when account_role = 'member'
                then 'household'
                else 'single'
            end as account_kind,
            case
                when account_role = 'user'
                then other_payer_key
                when account_role = 'member'
                then household_key
                else customer_key
            end as account_key,
            case
                when account_role = 'user'
                then other_payer_id
                when account_role = 'member'
                then household_id
                else customer_id
            end as account_id
        from placed
    )

select *
from final
